"""Which expected event has not come: pure, from what an agency expects and the last entry that fits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from consumers.replay.as_of.point_in_time import RIYADH


@dataclass(frozen=True, slots=True)
class Expected:
    """What an agency expects. `last_index`: the last entry that fits."""

    expectation_id: int
    agency: str
    type: str
    subject: str | None
    every_days: int | None
    by_day: int | None
    created_at: datetime
    last_index: int | None


@dataclass(frozen=True, slots=True)
class Period:
    """An event was expected from `since` on and before `due_at`."""

    since: datetime
    due_at: datetime


def last_period(expected: Expected, at: datetime) -> Period | None:
    """The last period that is over at this time; None for one of before it was declared.

    A month begins at 00:00 of its first day in Riyadh, and is due at 00:00 after the day.
    """
    if expected.every_days is not None:
        period = Period(at - timedelta(days=expected.every_days), at)
        return period if expected.created_at <= period.since else None
    day = timedelta(days=expected.by_day or 1)
    first = at.astimezone(RIYADH).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if first + day > at:
        first = (first - timedelta(days=1)).replace(day=1)
    due_at = (first + day).astimezone(UTC)
    return Period(first.astimezone(UTC), due_at) if expected.created_at < due_at else None


def has_come(expected: Expected, size: int) -> bool:
    """Whether an event that fits came since the period began. `size`: entries recorded before it."""
    return expected.last_index is not None and expected.last_index >= size


def item_of(expected: Expected, period: Period) -> str:
    """A name for one silence: of a month, or of the time since the last event."""
    if expected.by_day is not None:
        return f"{expected.expectation_id}.{period.since.astimezone(RIYADH):%Y-%m}"
    return f"{expected.expectation_id}.after-{'none' if expected.last_index is None else f'i{expected.last_index}'}"
