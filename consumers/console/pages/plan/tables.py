"""The plan's tables as CSV for spreadsheets: codes and figures as the read API gives them, names in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consumers.console.pages.plan.glance import Glance, Line
from infra.command_line.table_files import csv_text


def figures_csv(shown: Glance) -> str:
    """Every figure of the plan against its target, and against an even pace."""
    columns = ("figure_ar", "figure_en", "done", "target", "expected_by_now", "behind", "log_index")
    return csv_text(columns, (_line(line, shown.index) for line in _lines(shown)))


def _lines(shown: Glance) -> Iterator[Line]:
    yield from (shown.infrastructure, shown.applications, shown.services)
    yield from (line for line, _ in shown.groups)
    yield from (line for _, _, rows in shown.training for line, _ in rows)
    yield from (*shown.awareness, shown.everywhere)


def _line(line: Line, index: int) -> tuple[int | str | None, ...]:
    return (line.full.ar, line.full.en, line.done, line.target, line.expected, line.behind, index)


def launches_csv(rows: Iterable[tuple[str, int, int]]) -> str:
    return csv_text(("month", "launched", "total"), rows)
