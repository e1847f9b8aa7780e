"""The launches of services over the time of the plan, beside an even pace, as the points of an SVG picture.

Time runs from left to right in both languages, as in the documents that the chart is compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from consumers.documents.programme.plan import Launches, Pace

WIDTH: Final = 640
HEIGHT: Final = 240
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 28
_TICKS_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Chart:
    """`launched` and `even` are the points of lines, `x, y` each. Marks are a position and the text there."""

    launched: str
    even: str
    today_x: int
    years: Sequence[tuple[int, int]]
    counts: Sequence[tuple[int, int]]
    rows: Sequence[tuple[str, int, int]]
    """Month, launched in it, launched by its end: the table beside the chart."""


def launches_chart(pace: Pace, target: int) -> Chart | None:
    """None without a plan, or without a launch in its time."""
    plan, rows = pace.plan, totals(pace.launches)
    if plan is None or pace.measured_on is None or not rows or pace.days < 2:
        return None
    starts, days = date.fromisoformat(plan.starts_on), pace.days
    top = max(target, rows[-1][2], 1)

    def x(on: date) -> int:
        day = min(max((on - starts).days, 0), days)
        return LEFT + (WIDTH - LEFT - RIGHT) * day // days

    def y(count: int) -> int:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * count // top

    today = date.fromisoformat(pace.measured_on)
    points, before = [(x(starts), y(0))], 0
    for month, _, total in rows:
        first = date.fromisoformat(f"{month}-01")
        next_month = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        points += [(x(first), y(before)), (x(min(next_month, max(today, first))), y(total))]
        before = total
    points.append((max(points[-1][0], x(today)), y(before)))
    ends = date.fromisoformat(plan.ends_on)
    return Chart(
        launched=_points(points),
        even=_points([(x(starts), y(0)), (WIDTH - RIGHT, y(target))]),
        today_x=x(today),
        years=[(x(date(year, 1, 1)), year) for year in range(starts.year + 1, ends.year + 1)],
        counts=[(y(count), count) for count in range(0, top + 1, round_step(top))],
        rows=rows,
    )


def round_step(top: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 … that leads from 0 to `top` in at most `_TICKS_MAX` steps."""
    tens = 1
    while True:
        for digit in (1, 2, 5):
            if digit * tens * _TICKS_MAX >= top:
                return digit * tens
        tens *= 10


def totals(launches: Sequence[Launches]) -> list[tuple[str, int, int]]:
    """Month, launched in it, launched by its end."""
    found, total = [], 0
    for row in launches:
        total += row.launched
        found.append((row.month, row.launched, total))
    return found


def _points(points: Sequence[tuple[int, int]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
