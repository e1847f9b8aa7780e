"""A class of a page has a rule in a style sheet: a merge once lost those of a whole room, and no other test saw it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT

CONSOLE = ROOT / "consumers" / "console"
FILLED_IN = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
MADE_BY_A_PAGE = frozenset({"tag-", "notice-"})
"""They go on with a word: `tag-good`."""


def with_rules() -> set[str]:
    sheets = "".join(path.read_text(encoding="utf-8") for path in (CONSOLE / "static").glob("*.css"))
    return set(re.findall(r"\.([a-z][\w-]*)", re.sub(r'"[^"]*"', "", sheets)))


def classes_of(text: str) -> Iterator[str]:
    for found in re.finditer(r'class="([^"]*)"', FILLED_IN.sub(" ", text)):
        yield from found[1].split()


@pytest.mark.parametrize("kind", ["*.html", "*.py"])
def test_every_class_has_a_rule(kind: str) -> None:
    known = with_rules() | MADE_BY_A_PAGE
    without: dict[str, set[str]] = {}
    for path in CONSOLE.rglob(kind):
        for name in classes_of(path.read_text(encoding="utf-8")):
            if name not in known:
                without.setdefault(name, set()).add(_name(path))
    assert not without


def _name(path: Path) -> str:
    return str(path.relative_to(CONSOLE))
