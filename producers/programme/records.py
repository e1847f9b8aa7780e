"""The story's data files: facts of the programme, with what is assumed marked as such.

Every row says which `fact` of the published interview it comes from, and in `assumed` what the interview does not give:
true for the whole row, else the names of the fields. These marks are for readers of the files; no event carries them.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

FILES: Final = ("agencies", "plan", "projects", "services", "training", "partnerships", "awareness")

Record = dict[str, Any]


def read_records(name: str) -> Record:
    """One of the files."""
    text = files("producers.programme").joinpath("story", f"{name}.json").read_text(encoding="utf-8")
    records: Record = json.loads(text)
    return records


def picked(record: Record, *names: str) -> Record:
    """The members that an event carries, without the marks and keys of the file."""
    return {name: record[name] for name in names}
