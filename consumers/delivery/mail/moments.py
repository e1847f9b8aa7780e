"""When a reminder and a digest are due, in Asia/Riyadh (UTC+3 without summer time). Pure: the time comes by
argument.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from consumers.replay.as_of.point_in_time import RIYADH
from events.values.working_days import is_working_day

HOUR: Final = 8
"""Reminders and digests leave at 08:00."""
REMINDER_WORKING_DAYS: Final = 2
DIGEST_VALID: Final = timedelta(days=2)
"""A digest that could not be made or sent for this long is left out: the next one tells the same."""

_SUNDAY: Final = 6
_LONGEST_FEAST_DAYS: Final = 21
"""No two working days lie further apart than that: a feast with its weekends, and the two days of the reminder."""


def today(now: datetime) -> str:
    """The civil date in Riyadh."""
    return now.astimezone(RIYADH).date().isoformat()


def reminder_at(due_on: str) -> datetime:
    """08:00 of the day two working days before the due date."""
    day, left = date.fromisoformat(due_on), REMINDER_WORKING_DAYS
    while left > 0:
        day -= timedelta(days=1)
        left -= is_working_day(day.isoformat())
    return _at_eight(day)


def due_dates_to_remind_of(now: datetime) -> list[str]:
    """The due dates whose reminder is due and whose day is not over."""
    first = date.fromisoformat(today(now))
    days = (first + timedelta(days=offset) for offset in range(_LONGEST_FEAST_DAYS))
    return [day.isoformat() for day in days if reminder_at(day.isoformat()) <= now]


def digest_moment(now: datetime) -> datetime | None:
    """The last Sunday 08:00, or None when it is more than `DIGEST_VALID` ago."""
    local = now.astimezone(RIYADH)
    sunday = local.date() - timedelta(days=(local.weekday() - _SUNDAY) % 7)
    moment = _at_eight(sunday)
    if moment > now:
        moment -= timedelta(days=7)
    return moment if now - moment < DIGEST_VALID else None


def _at_eight(day: date) -> datetime:
    return datetime.combine(day, time(HOUR), RIYADH).astimezone(UTC)
