"""Entries for the eye, in Arabic and English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

from events.entry import TYPE_PREFIX


def entries_table(entries: Iterable[Mapping[str, Any]]) -> Table:
    """One line per entry, in log order."""
    table = Table(title="قيود السجل · Entries", title_justify="left")
    table.add_column("القيد\nIndex", justify="right")
    for heading in ("النوع\nType", "الموضوع\nSubject", "الجهة\nAgency", "المعرّف\nId"):
        table.add_column(heading, overflow="fold")
    for entry in entries:
        kind = entry["type"].removeprefix(TYPE_PREFIX)
        table.add_row(str(entry["index"]), kind, entry["subject"], entry["agency"], entry["id"])
    return table
