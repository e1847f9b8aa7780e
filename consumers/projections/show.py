"""Services, projects and activity as tables, in Arabic and English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from infra.command_line.display import Column, Grid
from infra.command_line.language import localized

SERVICE_STATES: Final = {
    "registered": ("مسجّلة", "registered"),
    "live": ("تعمل", "live"),
    "suspended": ("موقوفة", "suspended"),
    "retired": ("منتهية", "retired"),
}
PROJECT_STATES: Final = {
    "registered": ("مسجّل", "registered"),
    "started": ("بدأ", "started"),
    "completed": ("اكتمل", "completed"),
    "cancelled": ("أُلغي", "cancelled"),
}
PHASE_STATES: Final = {
    "waiting": ("لم تبدأ", "waiting"),
    "started": ("بدأت", "started"),
    "completed": ("اكتملت", "completed"),
}

Row = Mapping[str, Any]


def services_table(services: Iterable[Row]) -> Grid:
    """The service directory."""
    columns = [
        Column("الخدمة", "Service"),
        Column("الاسم", "Name", drop=2, wraps=True),
        Column("الجهة", "Agency", drop=1),
        Column("الحالة", "State"),
        Column("الإطلاق", "Launched", drop=3),
    ]
    rows = [
        [row["service_id"], _stacked(row["name"]), row["agency"], _state(SERVICE_STATES, row), row["launched_on"]]
        for row in services
    ]
    return Grid(localized("الخدمات", "Services"), columns, rows)


def projects_table(projects: Iterable[Row]) -> Grid:
    """The projects and how many of their phases are completed."""
    columns = [
        Column("المشروع", "Project"),
        Column("الاسم", "Name", drop=2, wraps=True),
        Column("الجهة", "Agency", drop=1),
        Column("الحالة", "State"),
        Column("المراحل", "Phases", drop=3, right=True),
    ]
    rows = [
        [
            row["project_id"],
            _stacked(row["name"]),
            row["agency"],
            _state(PROJECT_STATES, row),
            f"{row['completed']} / {row['phases']}",
        ]
        for row in projects
    ]
    return Grid(localized("المشاريع", "Projects"), columns, rows)


def phases_table(phases: Iterable[Row]) -> Grid:
    """The phases of a project."""
    columns = [
        Column("المرحلة", "Phase", right=True),
        Column("الاسم", "Name", wraps=True),
        Column("الحالة", "State"),
    ]
    rows = [[str(row["phase"]), _stacked(row["name"]), _state(PHASE_STATES, row)] for row in phases]
    return Grid(localized("المراحل", "Phases"), columns, rows)


def history_table(history: Iterable[Row]) -> Grid:
    """The history, in the order in which facts took effect."""
    columns = [
        Column("رقم القيد", "Log entry", right=True),
        Column("الحدث", "Event"),
        Column("المرحلة", "Phase", drop=2, right=True),
        Column("الجهة", "Agency", drop=1),
        Column("التاريخ", "On"),
    ]
    rows = [
        [
            str(row["index"]),
            row["type"],
            "" if row["phase"] is None else str(row["phase"]),
            row["agency"],
            row["happened_on"],
        ]
        for row in history
    ]
    return Grid(localized("ما جرى", "History"), columns, rows)


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


def _stacked(name: Row) -> str:
    return localized(name["ar"], name["en"], "\n")


def _state(states: Mapping[str, tuple[str, str]], row: Row) -> str:
    return localized(*states[row["state"]], between="\n")
