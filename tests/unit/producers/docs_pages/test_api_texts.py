"""Every text of the OpenAPI document that the pages show has its Arabic."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final

import orjson

from events.schema_tools.field_meanings import ATTRIBUTE_MEANINGS
from producers.docs_pages.openapi import arabic_texts, operations_of
from producers.docs_pages.site import Site, localized
from tests.every import every
from tests.world.gateways import openapi

FILE: Final = files("producers.docs_pages").joinpath("api_texts.json")
OWN: Final = [pair["en"] for pair in orjson.loads(FILE.read_bytes())]
CODE: Final = re.compile("`[^`]*`")


class Recorder(Mapping[str, str]):
    """Has an Arabic of every text, and knows which were asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, english: str) -> str:
        self.asked.add(english)
        return "نص"

    def __iter__(self) -> Iterator[str]:
        return iter(self.asked)

    def __len__(self) -> int:
        return len(self.asked)


def test_every_text_has_its_arabic_and_there_is_no_other() -> None:
    shown = Recorder()
    pages = Site(openapi, arabic=shown)
    for path in ("/docs/api", *(operation.page for operation in operations_of(openapi()))):
        pages.page(localized(path, "ar"))
    missing, unused = sorted(set(shown) - set(arabic_texts())), sorted(set(OWN) - set(shown))
    assert not missing, f"add their Arabic to producers/docs_pages/api_texts.json: {missing}"
    assert not unused, f"no page shows them, remove them from producers/docs_pages/api_texts.json: {unused}"
    assert len(OWN) == len(set(OWN)), "one is translated twice"
    assert not {meaning.en for meaning in ATTRIBUTE_MEANINGS.values()} & set(OWN), "one is translated elsewhere"


@every("english", OWN)
def test_the_arabic_has_the_codes_of_the_english(english: str) -> None:
    assert sorted(CODE.findall(arabic_texts()[english])) == sorted(CODE.findall(english))
