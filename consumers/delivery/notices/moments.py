"""When a notice to engineers is due: refusals and anomalies are gathered, what expires is announced before, and an
event that an agency expects may not have come. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from consumers.replay.as_of.point_in_time import RIYADH

WAIT_MAX: Final = timedelta(hours=6)
"""While they go on, a notice comes after twice the time each; this is the longest."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is gathered of an agency for so long (`wait`) since `opened_at`. `source`: `log` for refusals, or the
    consumer that found the anomalies. `noticed_at`: of the notice before."""

    agency: str
    source: str
    items: int
    first_index: int
    last_index: int
    opened_at: datetime
    wait: timedelta
    noticed_at: datetime | None = None

    @property
    def type(self) -> str:
        return "notice.refusal" if self.source == "log" else "notice.anomaly"

    @property
    def notice_id(self) -> str:
        """The same for what it holds, whenever the notice is sent."""
        source = "" if self.source == "log" else f".{self.source}"
        return f"{self.type}.{self.agency}{source}.i{self.first_index}-i{self.last_index}"

    def is_due(self, now: datetime) -> bool:
        return now >= self.opened_at + self.wait


def next_wait(window: Window, shortest: timedelta) -> timedelta:
    """For how long the next ones are gathered, once the notice of this window is sent: longer while they go on."""
    if window.noticed_at is None or window.opened_at - window.noticed_at >= window.wait:
        return shortest
    return min(2 * window.wait, max(WAIT_MAX, shortest))


WARNED_DAYS: Final = (2, 14)
"""So many days before."""


def warning(created_at: datetime, expires_at: datetime, now: datetime) -> int | None:
    """The number of days of `WARNED_DAYS` that is due; None for none, and for what never was valid for longer."""
    for days in WARNED_DAYS:
        begins = expires_at - timedelta(days=days)
        if begins <= now < expires_at:
            return days if created_at < begins else None
    return None


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
