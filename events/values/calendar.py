"""Civil dates in two calendars: Gregorian and Umm al-Qura (by table, never by arithmetic).

In and out: ISO Gregorian dates (`2004-05-24`) within 1924-08-01 … 2077-11-16, which is 1343-01-01 … 1500-12-30 H. Any
other text raises `DateOutOfRange`. Gregorian months and quarters need no table, so their bounds may lie beyond it
(those of `2077-11` end on 2077-11-30).
"""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Final, Literal

from hijridate import ummalqura

from events.errors import YesserError

CalendarName = Literal["gregorian", "umm-al-qura"]

FIRST_DATE: Final = "1924-08-01"
LAST_DATE: Final = "2077-11-16"
FIRST_HIJRI_YEAR: Final = 1343
LAST_HIJRI_YEAR: Final = 1500

# The table counts reduced Julian days; ordinal 702,574 (1924-08-01) is its day 23,999.
_REDUCED_JULIAN_DAY_OF_ORDINAL_0: Final = -678_575


class DateOutOfRange(YesserError, ValueError):
    """The date is outside 1924-08-01 … 2077-11-16, the range of the Umm al-Qura table: use a date within it."""


@cache
def _month_starts() -> tuple[int, ...]:
    """Ordinals of the first day of every Hijri month of the table, and of the day after the last month."""
    return tuple(day - _REDUCED_JULIAN_DAY_OF_ORDINAL_0 for day in ummalqura.MONTH_STARTS)


@lru_cache(maxsize=65_536)
def ordinal_of(on: str) -> int:
    """The day's number (that of `datetime.date.toordinal`), for a date within the range."""
    try:
        day = date.fromisoformat(on)
        ordinal = day.toordinal() if day.isoformat() == on else 0  # week dates and `20050203` are refused
    except ValueError:
        ordinal = 0
    starts = _month_starts()
    if not starts[0] <= ordinal < starts[-1]:
        raise DateOutOfRange(f"{on!r} is not a date within {FIRST_DATE} … {LAST_DATE}: use a date in this range")
    return ordinal


@lru_cache(maxsize=65_536)
def parts_of(on: str, calendar: CalendarName) -> tuple[int, int, int]:
    """(year, month, day) of a Gregorian ISO date in `calendar`."""
    ordinal = ordinal_of(on)
    if calendar == "gregorian":
        return int(on[:4]), int(on[5:7]), int(on[8:])
    starts = _month_starts()
    month_index = bisect_right(starts, ordinal) - 1
    return FIRST_HIJRI_YEAR + month_index // 12, month_index % 12 + 1, ordinal - starts[month_index] + 1


def year_of(on: str, calendar: CalendarName) -> int:
    """The year of a date in `calendar`: 2006-01-01 lies in 1426."""
    return parts_of(on, calendar)[0]


def hijri_of(on: str) -> str:
    """The Umm al-Qura date, `1425-04-05` for 2004-05-24."""
    return "{:04d}-{:02d}-{:02d}".format(*parts_of(on, "umm-al-qura"))


@lru_cache(maxsize=4_096)
def month_length(year: int, month: int, calendar: CalendarName) -> int:
    """Days of a month. Raises `DateOutOfRange` for a Hijri month outside the table."""
    if calendar == "gregorian":
        return monthrange(year, month)[1]
    first, after = _hijri_month(year, month)
    return after - first


@lru_cache(maxsize=65_536)
def gregorian_of(year: int, month: int, day: int, calendar: CalendarName) -> str:
    """The ISO date of a day of `calendar`; `ValueError` if the month has no such day."""
    if not 1 <= day <= month_length(year, month, calendar):
        raise ValueError(f"{year}-{month:02d} has no day {day} in {calendar}: use 1 … its last day")
    if calendar == "gregorian":
        return date(year, month, day).isoformat()
    return date.fromordinal(_hijri_month(year, month)[0] + day - 1).isoformat()


def day_after(on: str, days: int = 1) -> str:
    """The date `days` later (earlier if negative); may lie outside the range."""
    return (date.fromisoformat(on) + timedelta(days=days)).isoformat()


def _hijri_month(year: int, month: int) -> tuple[int, int]:
    """Ordinals of the first day of a Hijri month and of the next one."""
    index = (year - FIRST_HIJRI_YEAR) * 12 + month - 1
    starts = _month_starts()
    if not (0 <= index < len(starts) - 1 and 1 <= month <= 12):
        raise DateOutOfRange(f"{year}-{month:02d} H is outside {FIRST_HIJRI_YEAR}-01 … {LAST_HIJRI_YEAR}-12")
    return starts[index], starts[index + 1]
