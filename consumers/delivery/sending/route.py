"""A route: how one kind of message leaves, such as webhooks. The sender asks it what to do; it knows no queue.

Another route, such as text messages, is one more class like `Webhooks` and `Letters`, and its entry in
`delivery.PARTS` (docs/architecture.md, *How to add things*).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Literal, TypeVar

from infra.postgres.connection import Connection

State = Literal["waiting", "delivered", "failed", "cancelled"]
Content = TypeVar("Content")
"""What a route sends for a message."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message whose turn it is. `attempts` were made before; of `unknown` of them it is not known what became of
    them."""

    message_id: int
    destination: str
    agency: str
    team: str
    endpoint_id: str | None
    kind: str
    event_id: str
    log_index: int | None
    campaign_id: str | None
    replay: bool
    attempts: int
    created_at: datetime
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt gave: the `status` of the answer, and an `error` of a named class where it was not accepted.

    `cause` is the class for the operator's metric where it says more: what a name resolves to inside the network is
    nothing that an agency should learn. `answer`: the first KiB of it. `retry_after_s`: the wait that the
    receiver asked for.
    """

    status: int | None
    error: str | None
    latency_ms: int
    answer: bytes = b""
    retry_after_s: float | None = None
    cause: str | None = None

    @property
    def delivered(self) -> bool:
        return self.error is None and self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class NextStep:
    """What becomes of the message. While it waits, `wait_s` is the time until the next attempt."""

    state: State
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that has ended, and what follows. `late`: later messages of its lane may overtake this one."""

    message: Message
    at: datetime
    outcome: Outcome
    verdict: NextStep
    late: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a route sends at once, and how long something waits.

    `in_flight_max` requests in all, and `each_max` to one destination, for which `ready_max` messages are in hand.
    After `rests_after` failures in a row a destination rests. `lane_wait`: an earlier message holds up those of its
    lane for so long; None: until it has ended. `wait_max`: no message waits for longer, unless the clock went back.
    `finish_s`: so long requests under way may take at a stop.
    `counts_first`: an attempt is counted before it is made, so that one without an outcome is known.
    """

    in_flight_max: int
    each_max: int
    ready_max: int
    rests_after: int
    lane_wait: timedelta | None
    wait_max: timedelta
    finish_s: float
    counts_first: bool = False


class Route(ABC, Generic[Content]):
    """Sends messages of one kind. `name` is that of their rows.

    Only `attempt` runs beside the sender's rounds, and it reads no database.
    """

    name: str
    limits: Limits

    async def refresh(self, connection: Connection, destinations: Collection[str]) -> Collection[str]:
        """Read what is known of these destinations again; those of them that may get messages."""
        return destinations

    @abstractmethod
    async def load(self, connection: Connection, messages: Sequence[Message], now: datetime) -> Sequence[Content]:
        """What is to be sent for each message."""

    @abstractmethod
    async def attempt(self, message: Message, content: Content) -> Attempt:
        """Try once to deliver it. What the receiver does raises no error."""

    @abstractmethod
    def is_failing(self, outcome: Outcome) -> bool:
        """Whether the destination is at fault, and not this message."""

    async def judge(self, connection: Connection, attempts: Sequence[Attempt]) -> Collection[str]:
        """Write what these attempts say about their destinations, in the transaction that records them; those that get
        nothing more."""
        return ()

    async def release(self, destinations: Collection[str]) -> None:
        """For now there is nothing to be sent to these destinations: keep nothing open for them."""
        return
