"""One Arabic word for one thing: every text of the product is compared with `docs/glossary.toml`."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from tests.arabic_pages import TRANSLATED, page_pair
from tests.contract.product_texts import ARABIC, files, text_of
from tests.every import every
from tests.paths import ROOT, syntax_of

GLOSSARY = ROOT / "docs" / "glossary.toml"
TERMS: list[dict[str, Any]] = tomllib.loads(GLOSSARY.read_text(encoding="utf-8"))["term"]
TEXTS = ("py", "html", "md", "json", "ndjson", "toml", "csv", "sql", "css", "js", "yml")
LATIN = re.compile(r"[a-z]{2}", re.IGNORECASE)
PLACE = re.compile(r"\{[^}]*\}")
NAME = re.compile(r"[a-z0-9]+([-_./][a-z0-9]*)+")
Pair = tuple[str, str, str]


def pairs_of_code(path: Path) -> Iterator[Pair]:
    """Neighbouring texts of a call, a tuple, a list or `{"ar": …, "en": …}`, and sentences by their English."""
    for node in ast.walk(syntax_of(path)):
        match node:
            case ast.Call(args=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
                neighbours = [*pairwise(parts)]
            case ast.Dict(keys=keys, values=[one, other]) if [*map(text_of, filter(None, keys))] == ["ar", "en"]:
                neighbours = [(one, other)]
            case ast.Dict(keys=keys, values=values):
                named = zip(keys, values, strict=True)
                neighbours = [(key, value) for key, value in named if key and " " in (text_of(key) or "")]
            case _:
                continue
        for one, other in neighbours:
            yield from _pair(f"{path.relative_to(ROOT)}:{other.lineno}", text_of(one), text_of(other))


def pairs_of_data(path: Path) -> Iterator[Pair]:
    """Objects with `ar` and `en`."""
    objects: list[dict[str, Any]] = []
    json.loads(path.read_text(encoding="utf-8"), object_hook=objects.append)
    for one in objects:
        yield from _pair(str(path.relative_to(ROOT)), one.get("ar"), one.get("en"))


def pairs_of_alerts() -> Iterator[Pair]:
    """What the alerts say."""
    path = ROOT / "infra" / "monitoring" / "alerts.yml"
    for rule in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"][0]["rules"]:
        yield from _pair(str(path.relative_to(ROOT)), rule["annotations"]["summary_ar"], rule["annotations"]["summary"])


def pairs_of_template(path: Path) -> Iterator[Pair]:
    """The labels of a template of the documentation."""
    for arabic, english in re.findall(r'label\("([^"]*)", "([^"]*)"\)', path.read_text(encoding="utf-8")):
        yield from _pair(str(path.relative_to(ROOT)), arabic, english)


def pairs_of_page(page: str) -> Iterator[Pair]:
    """The blocks of a page of `docs/`, without their codes."""
    for english, arabic in zip(*page_pair(page), strict=False):  # test_arabic_pages.py compares their number.
        yield from _pair(f"docs/ar/{page}", arabic.text, english.text)


def _pair(where: str, one: Any, other: Any) -> Iterator[Pair]:
    """(where, Arabic, English), where that is what the two texts are."""
    for arabic, english in ((one, other), (other, one)):
        if not isinstance(arabic, str) or not isinstance(english, str) or not ARABIC.search(arabic):
            continue
        if LATIN.search(english) and not ARABIC.search(english) and not NAME.fullmatch(english):
            yield where, PLACE.sub("…", arabic), PLACE.sub("…", english)


@cache
def pairs() -> list[Pair]:
    code = [pair for path in files("py") for pair in pairs_of_code(path)]
    # How an agency calls its service is its own affair.
    data = [path for path in files("json") if path.name != "services.json"]
    pages = [pair for page in TRANSLATED for pair in pairs_of_page(page)]
    templates = [pair for path in files("md") for pair in pairs_of_template(path)]
    return code + [pair for path in data for pair in pairs_of_data(path)] + [*pairs_of_alerts()] + pages + templates


@cache
def texts() -> list[tuple[Path, str]]:
    return [(path, path.read_text(encoding="utf-8")) for path in files(*TEXTS)]


def test_the_texts_are_found() -> None:
    assert len(pairs()) > 500
    where = {pair[0].partition(":")[0] for pair in pairs()}
    assert {
        "consumers/documents/ledger/ledger.py",
        "events/types/catalogue.py",
        "producers/programme/story/partnerships.json",
        "docs/ar/quickstart.md",
        "producers/docs_pages/templates/start.md",
    } <= where


@every("term", TERMS)
def test_no_text_uses_another_word(term: dict[str, Any]) -> None:
    others = re.compile("|".join(term["not"]))
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path, text in texts()
        if others.search(text)
        for number, line in enumerate(text.splitlines(), start=1)
        if others.search(line)
    ]
    assert not found, f"write {term['ar']}:\n" + "\n".join(found)


@every("term", TERMS)
def test_the_word_and_the_thing_stand_for_each_other(term: dict[str, Any]) -> None:
    forms, english = re.compile(term["forms"]), re.compile(term["en"], re.IGNORECASE)
    found = [pair for pair in pairs() if (forms.search(pair[1]) is None) != (english.search(pair[2]) is None)]
    told = "\n".join(map(str, found))
    assert not found, f"{term['ar']} is missing, or says something else than {term['en']}:\n{told}"
