"""Working days of the Kingdom: Sunday to Thursday without the national holidays, by civil date in Asia/Riyadh.

Riyadh is UTC+3 without summer time. Outside the Umm al-Qura table the two feasts are unknown, so only weekends and the
fixed holidays count; such a date is not an error.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from events.values.calendar import FIRST_DATE, LAST_DATE, day_after, parts_of

FRIDAY: Final = 4
SATURDAY: Final = 5
_RIYADH: Final = timezone(timedelta(hours=3))

GREGORIAN_HOLIDAYS: Final = {
    (2, 22): "Founding Day",
    (9, 23): "National Day",
}
HIJRI_HOLIDAYS: Final = {
    **dict.fromkeys([(10, day) for day in (1, 2, 3)], "Eid al-Fitr"),
    **dict.fromkeys([(12, day) for day in (9, 10, 11, 12, 13)], "Arafat and Eid al-Adha"),
}


def riyadh_date(recorded: str) -> str:
    """The civil date in Riyadh of a recorded instant (`YYYY-MM-DDTHH:MM:SS.ffffffZ`)."""
    on = recorded[:10]
    return on if recorded[11:13] < "21" else day_after(on)


def riyadh_minute(instant: str) -> str:
    """`2026-11-01T08:00:00.000000Z` → `2026-11-01 11:00`: the time in Riyadh."""
    return f"{datetime.fromisoformat(instant).astimezone(_RIYADH):%Y-%m-%d %H:%M}"


@lru_cache(maxsize=65_536)
def is_working_day(on: str) -> bool:
    """Sunday to Thursday and no national holiday."""
    day = date.fromisoformat(on)
    if day.weekday() in (FRIDAY, SATURDAY) or (day.month, day.day) in GREGORIAN_HOLIDAYS:
        return False
    if not FIRST_DATE <= on <= LAST_DATE:
        return True
    return parts_of(on, "umm-al-qura")[1:] not in HIJRI_HOLIDAYS


@lru_cache(maxsize=256)
def _working_days(year: int) -> list[int]:
    """The ordinals of a year's working days."""
    ordinals = range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1)
    return [ordinal for ordinal in ordinals if is_working_day(date.fromordinal(ordinal).isoformat())]


@lru_cache(maxsize=65_536)
def after_working_days(on: str, days: int) -> str:
    """The date `days` working days after `on`: the first working day after it is day 1. 0 days gives `on` itself."""
    if days <= 0:
        return on
    day, left = date.fromisoformat(on), days
    year, known = day.year, _working_days(day.year)
    passed = bisect_right(known, day.toordinal())
    while passed + left > len(known):
        left -= len(known) - passed
        year, passed = year + 1, 0
        known = _working_days(year)
    return date.fromordinal(known[passed + left - 1]).isoformat()


def due_on(recorded: str, days: int) -> str:
    """The due date, `days` working days after a recorded instant."""
    return after_working_days(riyadh_date(recorded), days)


@lru_cache(maxsize=65_536)
def count_working_days(first: str, before: str) -> int:
    """The number of working days d with first ≤ d < before."""
    start, end = date.fromisoformat(first), date.fromisoformat(before)
    if end <= start:
        return 0
    years = map(_working_days, range(start.year, end.year + 1))
    return sum(bisect_left(known, end.toordinal()) - bisect_left(known, start.toordinal()) for known in years)
