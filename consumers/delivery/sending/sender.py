"""The sender of one route: the only loop that sends what leaves us.

Flows in: waiting messages, in rounds: record what has ended, read what is due, start requests. Flows out: attempts, and
what became of each message, written for many at once. A request holds up no round, and a destination no other.

A message is delivered at least once: where the process ends before an attempt is recorded, the message still waits, and
the next term begins with all that waits. Only the process with the lease sends, and asks for it in each round.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, TypeAlias

from consumers.delivery import delivery_lease
from consumers.delivery.sending import messages
from consumers.delivery.sending.route import Attempt, Limits, Message, Route
from events.errors import StandDown
from infra.postgres.connection import TRANSIENT_ERRORS, Connection
from infra.process.leader_election import Term
from infra.process.tasks import pause

WOKEN_MAX: Final = 1_000
"""Most destinations that begin in a round: others go on meanwhile."""
UNRECORDED_MAX: Final = 100
"""While so many attempts have ended and are not recorded, none begins: a process that is killed repeats them."""
GATHER_S: Final = 0.005
"""Attempts that end within this time are recorded together."""
REFRESH_S: Final = 5.0
"""What is known of a destination that keeps getting messages is read again after this."""

IN_HAND_MAX: Final = 4_096
"""Messages in hand of one route, with at least one for each destination."""
REST_MIN_S: Final = 5.0
REST_MAX_S: Final = 300.0
Clock: TypeAlias = Callable[[Connection], Awaitable[datetime]]


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


class Sender:
    """The sender of one term. `clock`: that of the database, by which messages become due."""

    def __init__(
        self, route: Route[Any], term: Term, connection: Connection, clock: Clock = messages.database_now
    ) -> None:
        self._route = route
        self._term = term
        self._connection = connection
        self._clock = clock
        self._now = datetime.min.replace(tzinfo=UTC)
        self._active: dict[str, Destination] = {}
        self._paused: dict[str, Destination] = {}
        """Those for which something becomes due later, or that failed last."""
        self._woken: dict[str, None] = {}
        """Those that are to be read, in turn."""
        self._wake = asyncio.Event()
        self._ended: list[Attempt] = []
        self._bug: Exception | None = None
        self._refresh_at = 0.0
        self.requests: set[asyncio.Task[None]] = set()
        """Attempts that are under way."""

    async def run(self, round_ended: Callable[[], None], round_s: float) -> None:
        """Until the term's stop; a round at least every `round_s`. Raises `Fenced`."""
        try:
            await self.begin()
            while not self._term.stop.is_set():
                self._wake.clear()
                wait_s = await self.round()
                round_ended()
                if wait_s > 0:
                    await pause(self._wake, min(wait_s, round_s))
                if self._ended:
                    await asyncio.sleep(GATHER_S)
        finally:
            await self._finish()

    async def begin(self) -> None:
        """Look at all that waits, and from now on at what is new."""
        await self._connection.add_listener(messages.CHANNEL, self._notified)
        self._woken |= dict.fromkeys(await messages.waiting(self._connection, self._route.name))

    async def round(self) -> float:
        """Record, read and start. Returns the seconds until there is more to do, unless something ends or is new."""
        if self._bug is not None:
            raise self._bug
        now = await self._clock(self._connection)
        await self._activate(now)
        await self._load(await self._record_and_read(now), now)
        self._start()
        if self._woken or self._ended or any(destination.has_ended(now) for destination in self._active.values()):
            return 0.0
        times = [destination.wakes_at for destination in self._paused.values() if destination.wakes_at is not None]
        return max(0.0, (min(times) - now).total_seconds()) if times else math.inf

    def _notified(self, connection: object, sender: int, channel: str, payload: object) -> None:
        route, _, name = str(payload).partition(" ")
        if route == self._route.name:
            self._woken[name] = None
            self._wake.set()

    async def _activate(self, now: datetime) -> None:
        """Have destinations read from now on that something new or something due waits for."""
        is_back = self._now > now  # the clock went back: times that were noted say nothing
        self._now = now
        for destination in self._paused.values():
            if is_back:
                destination.rests_until = None
            if is_back or (destination.wakes_at is not None and destination.wakes_at <= now):
                self._woken[destination.name] = None
        woken = set(islice(self._woken, WOKEN_MAX))
        for name in woken:
            del self._woken[name]
            destination = self._active.get(name) or self._paused.pop(name, None) or Destination(name)
            destination.is_read = False
            self._active[name] = destination
        if time.monotonic() >= self._refresh_at:
            woken |= self._active.keys()
            self._refresh_at = time.monotonic() + REFRESH_S
        if woken:
            is_open = await self._route.refresh(self._connection, woken)
            for name in woken:
                self._active[name].is_open = name in is_open

    async def _record_and_read(self, now: datetime, *, reads: bool = True) -> list[Message]:
        """In one transaction under the lease's epoch: write what has ended since the last round, leave destinations
        that get nothing more, and read what is due."""
        attempts = list(self._ended)
        for attempt in attempts:
            self._active[attempt.message.destination].is_read = False  # the next of its lane becomes due
        # Before anything is awaited: an attempt that ends meanwhile is not among those that are recorded.
        over = [destination for destination in self._active.values() if destination.has_ended(now)]
        most = in_hand_each(self._route.limits, len(self._active))
        wanted = {
            destination.name: number
            for destination in self._active.values()
            if reads and destination.may_send(now) and (number := destination.wants(most))
        }
        in_hand = self._in_hand(attempts)
        async with self._connection.transaction():
            await delivery_lease.hold(self._connection, self._term.epoch)
            await messages.record(self._connection, attempts, now)
            for name in await self._route.judge(self._connection, attempts):
                self._active[name].is_open = False
            await messages.cancel(self._connection, [each.name for each in over if not each.is_open], now)
            read = [(each.name, each.read_at) for each in over if each.may_send(now) and each.read_at is not None]
            due_at = await messages.next_due(self._connection, read, self._route.limits.lane_wait)
            due = await messages.due(self._connection, wanted, in_hand, self._route.limits, now) if wanted else []
        del self._ended[: len(attempts)]
        for destination in over:
            del self._active[destination.name]
            destination.pause(now, due_at.get(destination.name))
            if destination.wakes_at is not None or destination.failures:
                self._paused[destination.name] = destination
        await self._route.release([destination.name for destination in over])
        numbers = dict.fromkeys(wanted, 0)
        for message in due:
            numbers[message.destination] += 1
        for name, number in numbers.items():
            self._active[name].read_at, self._active[name].is_read = now, number < wanted[name]
        return due

    def _in_hand(self, recorded: Sequence[Attempt]) -> list[int]:
        """Messages that are read or under way, and those that have ended but are not recorded now."""
        ids = [attempt.message.message_id for attempt in self._ended[len(recorded) :]]
        for destination in self._active.values():
            ids += destination.in_flight
            ids += [message.message_id for message, _ in destination.ready]
        return ids

    async def _load(self, due: Sequence[Message], now: datetime) -> None:
        if not due:
            return
        contents = await self._route.load(self._connection, due, now)
        if self._route.limits.counts_first:
            async with self._connection.transaction():
                await delivery_lease.hold(self._connection, self._term.epoch)
                await messages.count_attempts(self._connection, [message.message_id for message in due])
        for message, content in zip(due, contents, strict=True):
            self._active[message.destination].ready.append((message, content))

    def _start(self) -> None:
        """Start requests, as far as the limits allow. Destinations take turns."""
        candidates = [destination for destination in self._active.values() if destination.ready]
        while candidates:
            candidates = [destination for destination in candidates if self._start_one(destination)]

    def _start_one(self, destination: Destination) -> bool:
        """Start the destination's next request, if it may have one now."""
        is_behind = len(self._ended) >= UNRECORDED_MAX
        if is_behind or not destination.may_start(self._route.limits, len(self.requests), self._now):
            return False
        message, content = destination.ready.popleft()
        destination.in_flight.add(message.message_id)
        request = asyncio.create_task(self._attempt(destination, message, content))
        self.requests.add(request)
        request.add_done_callback(self.requests.discard)
        return True

    async def _attempt(self, destination: Destination, message: Message, content: Any) -> None:
        try:
            attempt = await self._route.attempt(message, content)
            destination.note(self._route.limits, self._now, is_failing=self._route.is_failing(attempt.outcome))
        except asyncio.CancelledError:  # it may have arrived: the message is read again, in this term or in the next
            destination.in_flight.discard(message.message_id)
            self._woken[destination.name] = None
            self._wake.set()
            raise
        except Exception as error:  # a bug, which ends the term: no other task awaits this one
            self._bug = error
            self._wake.set()
            return
        destination.in_flight.discard(message.message_id)
        self._ended.append(attempt)
        self._start_one(destination)
        self._wake.set()

    async def _finish(self) -> None:
        """Record what ends soon; requests that take longer are cut, and made again in the next term."""
        if self.requests:
            await asyncio.wait(self.requests, timeout=self._route.limits.finish_s)
        for request in list(self.requests):
            request.cancel()
        await asyncio.gather(*self.requests, return_exceptions=True)
        with suppress(*TRANSIENT_ERRORS, StandDown):
            if self._ended:
                await self._record_and_read(await self._clock(self._connection), reads=False)
        await self._route.release([*self._active])
