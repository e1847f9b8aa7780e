"""The story's data files: facts of the programme, with assumptions marked.

`fact` names the fact of the published interview that a row comes from; `assumed` marks what the interview does not
give: true for the whole row, else field names. No event contains these marks.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

Record = dict[str, Any]


def read_records(name: str) -> Record:
    """One of the files."""
    text = files("producers.programme").joinpath("story", f"{name}.json").read_text(encoding="utf-8")
    records: Record = json.loads(text)
    return records


def picked(record: Record, *names: str) -> Record:
    """The members that go into an event, without the file's own marks and keys."""
    return {name: record[name] for name in names}
