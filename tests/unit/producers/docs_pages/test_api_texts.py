"""Every text of the OpenAPI document that the API page shows has its Arabic."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

import orjson
import pytest

from events.schema_tools.field_meanings import ATTRIBUTE_MEANINGS
from producers.docs_pages import words
from producers.docs_pages.words import api_texts
from tests.every import every
from tests.unit.producers.docs_pages.pages import site

FILE: Final = files("producers.docs_pages").joinpath("api_texts.json")
OWN: Final = [pair["en"] for pair in orjson.loads(FILE.read_bytes())]
CODE: Final = re.compile("`[^`]*`")


def test_every_text_has_its_arabic_and_there_is_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: set[str] = set()

    class Recorder(dict[str, str]):
        def __missing__(self, english: str) -> str:
            shown.add(english)
            return ""

    known = set(api_texts())
    monkeypatch.setattr(words, "api_texts", Recorder)
    site().page("/docs/ar/api")
    missing, unused = sorted(shown - known), sorted(set(OWN) - shown)
    assert not missing, f"add their Arabic to producers/docs_pages/api_texts.json: {missing}"
    assert not unused, f"no page shows them, remove them from producers/docs_pages/api_texts.json: {unused}"
    assert len(OWN) == len(set(OWN)), "one is translated twice"
    assert not {meaning.en for meaning in ATTRIBUTE_MEANINGS.values()} & set(OWN), "one is translated elsewhere"


@every("english", OWN)
def test_the_arabic_has_the_codes_of_the_english(english: str) -> None:
    assert sorted(CODE.findall(api_texts()[english])) == sorted(CODE.findall(english))
