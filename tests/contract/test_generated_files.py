"""What is generated from the catalogue is committed and fresh."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import orjson
import pytest

import events
from events.generate import documents, schema_documents, stale
from events.types.catalogue import CATALOGUE

ROOT = Path(events.__file__).parent


def test_generated_files_are_fresh() -> None:
    assert stale(ROOT, version("yesser-events")) == [], "run `python -m events.generate` and commit what it writes"


def test_a_stale_file_is_named(tmp_path: Path) -> None:
    assert stale(tmp_path, "0") == list(documents("0"))


def test_there_is_no_schema_of_a_type_that_is_gone() -> None:
    assert {path.name for path in (ROOT / "schemas").glob("*.json")} == set(schema_documents())


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_schema_says_in_words_what_it_cannot_say_otherwise(name: str) -> None:
    schema = orjson.loads((ROOT / "schemas" / f"{name}.v1.json").read_bytes())
    words = " ".join(schema["x-in-words"])
    assert CATALOGUE[name].subject.pattern in words
    assert all(rule.detail in words for rule in CATALOGUE[name].rules)
    assert schema["properties"]["type"]["const"] == schema["title"]
    assert "default" not in str(schema)
