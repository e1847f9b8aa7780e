"""Services, projects and activity for the eye, in Arabic and English; narrow enough for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.box import SIMPLE
from rich.table import Table

SERVICE_STATES: Final = {
    "registered": "مسجّلة\nregistered",
    "live": "تعمل\nlive",
    "suspended": "موقوفة\nsuspended",
    "retired": "ملغاة\nretired",
}
PROJECT_STATES: Final = {
    "registered": "مسجّل\nregistered",
    "started": "بدأ\nstarted",
    "completed": "اكتمل\ncompleted",
    "cancelled": "أُلغي\ncancelled",
}
PHASE_STATES: Final = {
    "waiting": "لم تبدأ\nwaiting",
    "started": "بدأت\nstarted",
    "completed": "اكتملت\ncompleted",
}

Row = Mapping[str, Any]


def services_table(services: Iterable[Row]) -> Table:
    """The service directory."""
    table = _table("الخدمات · Services", "الخدمة\nService", "الاسم\nName", "الجهة\nAgency", "الحالة\nState")
    table.add_column("الإطلاق\nLaunched", no_wrap=True)
    for row in services:
        state = SERVICE_STATES[row["state"]]
        table.add_row(row["service_id"], _both(row["name"]), row["agency"], state, row["launched_on"] or "—")
    return table


def projects_table(projects: Iterable[Row]) -> Table:
    """The projects and how many of their phases are completed."""
    table = _table("المشاريع · Projects", "المشروع\nProject", "الاسم\nName", "الجهة\nAgency", "الحالة\nState")
    table.add_column("المراحل\nPhases", justify="right", no_wrap=True)
    for row in projects:
        phases = f"{row['completed']} / {row['phases']}"
        table.add_row(row["project_id"], _both(row["name"]), row["agency"], PROJECT_STATES[row["state"]], phases)
    return table


def phases_table(phases: Iterable[Row]) -> Table:
    """The phases of a project."""
    table = _table("المراحل · Phases", "المرحلة\nPhase", "الاسم\nName", "الحالة\nState")
    for row in phases:
        table.add_row(str(row["phase"]), _both(row["name"]), PHASE_STATES[row["state"]])
    return table


def history_table(history: Iterable[Row]) -> Table:
    """What happened, in the order in which it took effect."""
    table = _table("ما جرى · History", "القيد\nIndex", "الحدث\nEvent", "المرحلة\nPhase", "الجهة\nAgency", "التاريخ\nOn")
    for row in history:
        phase = "" if row["phase"] is None else str(row["phase"])
        table.add_row(str(row["index"]), row["type"], phase, row["agency"], row["happened_on"] or "—")
    return table


def activity_table(agencies: Iterable[Row]) -> Table:
    """What each agency sent, all types together."""
    table = _table("نشاط الجهات · Activity", "الجهة\nAgency")
    for heading in ("المقبول\nAccepted", "الأنواع\nTypes", "المرفوض\nRefused", "آخر قيد\nLast index"):
        table.add_column(heading, justify="right")
    for row in agencies:
        kinds, refused = row["events"].values(), row["refusals"]
        last = max(counted["last_index"] for counted in (*kinds, *([refused] if refused else [])))
        accepted, refusals = sum(kind["count"] for kind in kinds), refused["count"] if refused else 0
        table.add_row(row["agency"], f"{accepted:,}", str(len(kinds)), f"{refusals:,}", f"{last:,}")
    return table


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _both(name: Row) -> str:
    return f"{name['ar']}\n{name['en']}"
