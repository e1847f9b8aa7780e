"""Dates as the contract uses them: two calendars, periods, contract years and Saudi working days.

Dates are ISO text, so `<` compares them; periods of one kind compare as text too (`1426-03`, `1426-Q1`).
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta
from functools import cache

from hijridate import Gregorian, Hijri

RIYADH_OFFSET = timedelta(hours=3)
SUNDAY_TO_THURSDAY = {6, 0, 1, 2, 3}
NATIONAL_DAYS = {(2, 22), (9, 23)}
EID_DAYS = {(10, day) for day in (1, 2, 3)} | {(12, day) for day in range(9, 14)}


@cache
def date_parts(day: str, calendar: str) -> tuple[int, int, int]:
    """Year, month and day of `day` in the calendar."""
    gregorian = date.fromisoformat(day)
    if calendar == "gregorian":
        return gregorian.year, gregorian.month, gregorian.day
    year, month, day_of_month = Gregorian.fromdate(gregorian).to_hijri().datetuple()
    return int(year), int(month), int(day_of_month)


def month_length(year: int, month: int, calendar: str) -> int:
    """Days of that month."""
    if calendar == "gregorian":
        return monthrange(year, month)[1]
    return int(Hijri(year, month, 1).month_length())


@cache
def period_of(day: str, calendar: str, kind: str) -> str:
    """The label of the whole month or quarter in which `day` lies (R1)."""
    year, month, _ = date_parts(day, calendar)
    return f"{year:04d}-{month:02d}" if kind == "month" else f"{year:04d}-Q{(month + 2) // 3}"


@cache
def periods_between(first_day: str, last_day: str, calendar: str, kind: str) -> tuple[str, ...]:
    """All labels from that of `first_day` to that of `last_day`."""
    last = period_of(last_day, calendar, kind)
    labels = [period_of(first_day, calendar, kind)]
    while labels[-1] < last:
        labels.append(_after(labels[-1], kind))
    return tuple(labels)


def _after(label: str, kind: str) -> str:
    year, part = int(label[:4]), label[5:]
    if kind == "month":
        month = int(part) % 12 + 1
        return f"{year + (month == 1):04d}-{month:02d}"
    quarter = int(part[1:]) % 4 + 1
    return f"{year + (quarter == 1):04d}-Q{quarter}"


def contract_year(day: str, starts_on: str, calendar: str) -> int:
    """0 for the first contract year, 1 from the first anniversary on … (R6)."""
    year, month, day_of_month = date_parts(day, calendar)
    first_year, first_month, first_day = date_parts(starts_on, calendar)
    anniversary_day = min(first_day, month_length(year, first_month, calendar))
    return year - first_year - ((month, day_of_month) < (first_month, anniversary_day))


def riyadh_date(recorded: str) -> date:
    """The date in Asia/Riyadh (UTC+3 all year) of a recorded time."""
    return (datetime.fromisoformat(recorded) + RIYADH_OFFSET).date()


def is_working_day(day: date) -> bool:
    """Sunday to Thursday and no national holiday (§6)."""
    if day.weekday() not in SUNDAY_TO_THURSDAY or (day.month, day.day) in NATIONAL_DAYS:
        return False
    return date_parts(day.isoformat(), "umm-al-qura")[1:] not in EID_DAYS


def working_days_later(day: date, count: int) -> date:
    """The `count`-th working day after `day`; `day` itself when `count` is 0."""
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def working_days_from(first: date, end: date) -> int:
    """How many working days d there are with first ≤ d < end."""
    return sum(is_working_day(first + timedelta(days=n)) for n in range((end - first).days))
