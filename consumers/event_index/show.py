"""Entries as a table, in Arabic and English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from events.wire.envelope import short_type
from infra.command_line.display import Column, Grid
from infra.command_line.language import localized


def entries_table(entries: Iterable[Mapping[str, Any]]) -> Grid:
    """One line per entry, in log order."""
    columns = [
        Column("رقم القيد", "Log entry", right=True),
        Column("النوع", "Type", drop=1),
        Column("الموضوع", "Subject", drop=3),
        Column("الجهة", "Agency", drop=2),
        Column("المعرّف", "Id"),
    ]
    rows = [[str(row["index"]), short_type(row["type"]), row["subject"], row["agency"], row["id"]] for row in entries]
    return Grid(localized("قيود السجل", "Log entries"), columns, rows)
