"""Each row of the threat model names a control that is where it says, and tests that there are."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Final

from infra.postgres.roles import rights
from infra.settings import Settings
from producers.docs_pages.writer import FOLDER
from tests.every import every
from tests.paths import ROOT, names_in, syntax_of

ROWS: Final = [
    tuple(cell.strip() for cell in line.strip("| ").split(" | "))
    for line in (FOLDER / "threat-model.md").read_text(encoding="utf-8").splitlines()
    if "::test_" in line
]
_CODE: Final = re.compile("`([^`]+)`")


def files_of(name: str) -> list[Path]:
    """The files that have the test `test_file.py::test_name`."""
    file, _, function = name.partition("::")
    return [path for path in files_by_name().get(file, ()) if function in names_in(syntax_of(path).body)]


@cache
def files_by_name() -> dict[str, list[Path]]:
    found = defaultdict[str, list[Path]](list)
    for path in (ROOT / "tests").rglob("test_*.py"):
        found[path.name].append(path)
    return found


def is_there(place: str) -> bool:
    """Whether a file or a table of this name is part of the platform."""
    return (ROOT / place).is_file() or any(place in tables for tables in rights().values())


@every("row", ROWS)
def test_a_row_is_true(row: tuple[str, ...]) -> None:
    threat, _control, where, default, test = row
    places, settings = _CODE.findall(where), _CODE.findall(default)
    assert places, threat
    assert [place for place in places if not is_there(place)] == []
    known = {f"YESSER_{name.upper()}" for name in Settings.model_fields}
    assert [setting for setting in settings if setting not in known] == []
    tests = _CODE.findall(test)
    assert tests, threat
    assert [name for name in tests if len(files_of(name)) != 1] == []


def test_a_row_that_is_not_true_is_seen() -> None:
    assert not files_of("test_threat_model.py::test_that_there_is_not")
    assert not is_there("infra/no_such_module.py")
    assert not is_there("platform.no_such_table")
