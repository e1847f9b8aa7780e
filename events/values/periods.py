"""Contract periods and contract years (R1, R6): labels such as `1426-03` and `1426-Q1`, in the contract's calendar.

A label shows its kind (`Q`) but not its calendar, which is the contract's. Labels of one calendar and kind sort in
order of time. Periods are whole months or quarters; a term may cut the first and the last.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal

from events.values.calendar import CalendarName, gregorian_of, month_length, parts_of

PeriodKind = Literal["month", "quarter"]
_SHAPE: Final = re.compile(r"[0-9]{4}-(?:(?P<month>[0-9]{1,2})|[Qq](?P<quarter>[0-9]+))")


@lru_cache(maxsize=65_536)
def period_of(on: str, calendar: CalendarName, kind: PeriodKind) -> str:
    year, month, _ = parts_of(on, calendar)
    return f"{year:04d}-{month:02d}" if kind == "month" else f"{year:04d}-Q{(month + 2) // 3}"


def period_error(text: str) -> str | None:
    """One sentence that says why a text is not a label; None for a label."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return f"{text!r} is not a period: write a month as 1426-03, a quarter as 1426-Q1"
    month, quarter = shape["month"], shape["quarter"]
    if month is not None:
        is_month = len(month) == 2 and 1 <= int(month) <= 12
        return None if is_month else f"{text} is not a period: months are 01–12"
    is_quarter = "Q" in text and quarter in ("1", "2", "3", "4")
    return None if is_quarter else f"{text} is not a period: quarters are Q1–Q4"


def period_kind(label: str) -> PeriodKind:
    """The kind of a well-formed label."""
    return "quarter" if label[5] == "Q" else "month"


@lru_cache(maxsize=8_192)
def next_period(label: str) -> str:
    """The label that follows, by counting alone: also beyond the table (`1500-12` → `1501-01`)."""
    return _shifted(label, 1)


@lru_cache(maxsize=4_096)
def periods_of_term(starts_on: str, ends_on: str, calendar: CalendarName, kind: PeriodKind) -> tuple[str, ...]:
    """The labels from the period of `starts_on` to that of `ends_on`; empty if the term is empty."""
    if starts_on > ends_on:
        return ()
    label, last = period_of(starts_on, calendar, kind), period_of(ends_on, calendar, kind)
    labels = [label]
    while label != last:
        label = next_period(label)
        labels.append(label)
    return tuple(labels)


@lru_cache(maxsize=65_536)
def contract_year(starts_on: str, on: str, calendar: CalendarName) -> int:
    """The contract year of a date (R6): 1 from `starts_on`, 2 from its first anniversary; ≤ 0 before `starts_on`.

    An anniversary has the month and day of `starts_on` itself; a day that the month lacks becomes its last day.
    """
    first_year, month, day = parts_of(starts_on, calendar)
    year, on_month, on_day = parts_of(on, calendar)
    anniversary_day = min(day, month_length(year, month, calendar))
    return year - first_year + (1 if (on_month, on_day) >= (month, anniversary_day) else 0)


def anniversary(starts_on: str, number: int, calendar: CalendarName) -> str:
    """First day of contract year `number` (1 gives `starts_on`); `DateOutOfRange` beyond the table."""
    year, month, day = parts_of(starts_on, calendar)
    year += number - 1
    return gregorian_of(year, month, min(day, month_length(year, month, calendar)), calendar)


def days_of(label: str, calendar: CalendarName) -> tuple[str, str]:
    """First and last day of a period; `DateOutOfRange` beyond the table."""
    year, first, last = _months_of(label)
    last_day = month_length(year, last, calendar)
    return gregorian_of(year, first, 1, calendar), gregorian_of(year, last, last_day, calendar)


def _months_of(label: str) -> tuple[int, int, int]:
    """Year, first month and last month of a label."""
    year = int(label[:4])
    if label[5] == "Q":
        quarter = int(label[6])
        return year, 3 * quarter - 2, 3 * quarter
    month = int(label[5:])
    return year, month, month


def _shifted(label: str, by: int) -> str:
    year = int(label[:4])
    if label[5] == "Q":
        year, quarter = divmod(year * 4 + int(label[6]) - 1 + by, 4)
        return f"{year:04d}-Q{quarter + 1}"
    year, month = divmod(year * 12 + int(label[5:]) - 1 + by, 12)
    return f"{year:04d}-{month + 1:02d}"
