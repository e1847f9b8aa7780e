"""What is generated is committed and fresh."""

from __future__ import annotations

from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import orjson

import events
from events.generate import EXAMPLE_HASHES, documents, example_hashes, schema_documents, stale, types_without_example
from events.types.catalogue import CATALOGUE
from infra.deployment_files import files
from tests.every import every
from tests.paths import ROOT as PROJECT

ROOT = Path(events.__file__).parent


def test_generated_files_are_fresh_and_there_is_one_schema_of_each_type() -> None:
    assert stale(ROOT, version("yesser-events")) == [], "run `python -m events.generate` and commit what it writes"
    assert {path.name for path in (ROOT / "schemas").glob("*.json")} == set(schema_documents())
    missing = types_without_example(ROOT)
    assert not missing, f"write events/examples/v1/NAME.json, as its sender writes it, for {missing}"


def test_the_files_of_a_deployment_are_fresh() -> None:
    stale = [file for file, text in files().items() if (PROJECT / file).read_text(encoding="utf-8") != text]
    assert not stale, "run `python -m infra.deployment_files`"


def test_what_is_stale_or_missing_is_named(tmp_path: Path) -> None:
    assert stale(tmp_path, "0") == list(documents("0"))
    assert types_without_example(tmp_path) == list(CATALOGUE)


def test_a_new_example_is_listed_and_a_listed_hash_is_never_changed(tmp_path: Path) -> None:
    hashes = tmp_path / EXAMPLE_HASHES
    hashes.parent.mkdir(parents=True)
    hashes.write_text("0000  old.json\n")
    for name in ("old.json", "new.json"):
        hashes.with_name(name).write_bytes(b"{}")
    assert example_hashes(tmp_path) == f"0000  old.json\n{sha256(b'{}').hexdigest()}  new.json\n"


@every("name", CATALOGUE)
def test_a_schema_says_in_words_what_it_cannot_say_otherwise(name: str) -> None:
    schema = orjson.loads((ROOT / "schemas" / f"{name}.v1.json").read_bytes())
    words = " ".join(schema["x-in-words"])
    assert CATALOGUE[name].subject.pattern in words
    assert all(rule.detail in words for rule in CATALOGUE[name].rules)
    assert schema["properties"]["type"]["const"] == schema["title"]
    assert "default" not in str(schema)
