"""What the sender has in hand: endpoints with something to send, and the messages that were read for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pgqueuer.domain.models import Job

from consumers.delivery.examples import KIND as EXAMPLE
from consumers.delivery.webhooks.schedule import RESTS_AFTER, Outcome, Verdict, rest_s

READY_MAX: Final = 64
"""Most messages in hand for one endpoint."""
IN_HAND_MAX: Final = 4_096
"""As many in all, with at least one for each endpoint."""


@dataclass(frozen=True, slots=True)
class Message:
    """A waiting message whose turn it is. `attempts` were made before."""

    message_id: int
    endpoint_id: str
    kind: str
    event_id: str
    log_index: int | None
    campaign_id: str | None
    replay: bool
    attempts: int
    created_at: datetime

    @property
    def webhook_id(self) -> str:
        """The id by which a receiver recognises a repeat: the same for each attempt, replay and redelivery. No dots."""
        parts = [self.event_id] if self.log_index is None else [self.campaign_id or "", self.kind, f"i{self.log_index}"]
        return "_".join(parts).replace(".", "_")

    def marks(self, *, late: bool) -> dict[str, str]:
        """The headers that say what is special about it."""
        marks = {"yesser-replay": self.replay, "yesser-late": late, "yesser-example": self.kind == EXAMPLE}
        return {name: "true" for name, is_set in marks.items() if is_set}


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that has ended, and what follows."""

    message: Message
    at: datetime
    outcome: Outcome
    verdict: Verdict
    late: bool


@dataclass(slots=True)
class Health:
    """How an endpoint does: its failures in a row, and until when it rests (by the monotonic clock)."""

    failures: int = 0
    rests_until: float = 0.0

    def note(self, outcome: Outcome, now: float) -> None:
        self.failures = 0 if outcome.delivered else self.failures + 1
        self.rests_until = now + rest_s(self.failures)

    @property
    def is_doubtful(self) -> bool:
        """It gets one message at a time."""
        return self.failures >= RESTS_AFTER


@dataclass(slots=True)
class Active:
    """An endpoint that was woken. `jobs` are done when it has nothing more to send.

    `ready`: messages with their bodies. `is_read`: everything that was due at `read_at` is in hand. `secrets` is None
    where they cannot be used.
    """

    endpoint_id: str
    agency: str
    team: str
    url: str
    secrets: Sequence[str] | None
    failing_since: datetime | None
    disabled_reason: str | None
    health: Health
    jobs: list[Job] = field(default_factory=list)
    ready: deque[tuple[Message, bytes]] = field(default_factory=deque)
    in_flight: set[int] = field(default_factory=set)
    read_at: datetime | None = None
    is_read: bool = False

    def is_resting(self, now: float) -> bool:
        return now < self.health.rests_until

    def has_ended(self, now: float) -> bool:
        """Nothing is in flight, and nothing more can be sent now."""
        if self.in_flight:
            return False
        return not self.may_send(now) or (self.is_read and not self.ready)

    def may_send(self, now: float) -> bool:
        return self.disabled_reason is None and not self.is_resting(now)

    def wants(self, in_hand: int) -> int:
        """How many messages to read for it; `in_hand`: as many as each endpoint may have."""
        return 0 if self.is_read else max(0, in_hand - len(self.ready))

    def may_start(self, limit: int, now: float) -> bool:
        """Whether it may have one more request under way, of at most `limit`."""
        if not self.ready or not self.may_send(now):
            return False
        return len(self.in_flight) < (1 if self.health.is_doubtful else limit)


def in_hand_each(active: int) -> int:
    """How many messages each of so many endpoints may have in hand."""
    return max(1, min(READY_MAX, IN_HAND_MAX // max(1, active)))
