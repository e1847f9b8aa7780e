"""The activity of agencies as a table, in Arabic and English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from infra.command_line.display import Column, Grid
from infra.command_line.language import localized

Row = Mapping[str, Any]


def activity_table(agencies: Iterable[Row]) -> Grid:
    """Each agency's activity, all types together."""
    columns = [
        Column("الجهة", "Agency"),
        Column("المقبول", "Accepted", right=True),
        Column("الأنواع", "Types", drop=2, right=True),
        Column("المرفوض", "Refused", right=True),
        Column("آخر قيد", "Last entry", drop=1, right=True),
    ]
    rows = []
    for row in agencies:
        kinds, refused = row["events"].values(), row["refusals"]
        last = max(counted["last_index"] for counted in (*kinds, *([refused] if refused else [])))
        accepted, refusals = sum(kind["count"] for kind in kinds), refused["count"] if refused else 0
        rows.append([row["agency"], f"{accepted:,}", str(len(kinds)), f"{refusals:,}", f"{last:,}"])
    return Grid(localized("نشاط الجهات", "Activity"), columns, rows)
