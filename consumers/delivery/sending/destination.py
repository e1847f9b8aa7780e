"""What the sender has in hand for one destination, such as an endpoint: messages that were read, and how it does."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from consumers.delivery.sending.route import Limits, Message

IN_HAND_MAX: Final = 4_096
"""Messages in hand of one route, with at least one for each destination."""
REST_MIN_S: Final = 5.0
REST_MAX_S: Final = 300.0


@dataclass(slots=True)
class Destination:
    """`ready`: messages with what is sent for them. `in_flight`: the ids of those under way.

    `is_read`: everything that was due at `read_at` is in hand. `wakes_at`: when something becomes due, while it is
    not active. `failures` in a row: it rests, and then one message at a time shows whether it works again.
    """

    name: str
    is_open: bool = True
    failures: int = 0
    rests_until: datetime | None = None
    ready: deque[tuple[Message, Any]] = field(default_factory=deque)
    in_flight: set[int] = field(default_factory=set)
    read_at: datetime | None = None
    is_read: bool = False
    wakes_at: datetime | None = None

    def is_resting(self, now: datetime) -> bool:
        return self.rests_until is not None and now < self.rests_until

    def may_send(self, now: datetime) -> bool:
        return self.is_open and not self.is_resting(now)

    def has_ended(self, now: datetime) -> bool:
        """Nothing is in flight, and nothing more can be sent now."""
        if self.in_flight:
            return False
        return not self.may_send(now) or (self.is_read and not self.ready)

    def wants(self, in_hand: int) -> int:
        """How many messages to read for it; `in_hand`: as many as each destination may have."""
        return 0 if self.is_read else max(0, in_hand - len(self.ready) - len(self.in_flight))

    def may_start(self, limits: Limits, under_way: int, now: datetime) -> bool:
        """Whether it may have one more request, where so many are under way in all."""
        if under_way >= limits.in_flight_max or not self.ready or not self.may_send(now):
            return False
        # Where many are under way, some may hang: each destination then gets one.
        is_crowded = 2 * under_way > limits.in_flight_max
        each_max = 1 if is_crowded or self.failures >= limits.rests_after else limits.each_max
        return len(self.in_flight) < each_max

    def note(self, limits: Limits, now: datetime, *, is_failing: bool) -> None:
        """An attempt has ended."""
        self.failures = self.failures + 1 if is_failing else 0
        rest_s = _rest_s(self.failures - limits.rests_after)
        self.rests_until = now + timedelta(seconds=rest_s) if rest_s else None

    def pause(self, now: datetime, due_at: datetime | None) -> None:
        """For now nothing is in hand: it wakes when its rest is over, or when something becomes due."""
        self.ready.clear()
        self.wakes_at = self.rests_until if self.is_open and self.is_resting(now) else due_at


def _rest_s(too_many: int) -> float:
    """How long a destination gets nothing that failed so often after the failures that are allowed."""
    return 0.0 if too_many < 0 else min(REST_MAX_S, REST_MIN_S * 2.0 ** min(too_many, 10))


def in_hand_each(limits: Limits, destinations: int) -> int:
    """How many messages each of so many destinations may have in hand."""
    return max(1, min(limits.ready_max, IN_HAND_MAX // max(1, destinations)))
