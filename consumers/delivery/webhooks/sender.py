"""The sender of webhooks: a part of the delivery process.

Flows in: jobs of the queue, each naming an endpoint that has something to send; its waiting messages. Flows out:
webhooks, attempts, and what became of each message, written for many at once. It works in rounds: record what has
ended, take jobs, read what is due, start requests. A request holds up no round, and an endpoint holds up no other.

A message is delivered at least once, always with the same id: where the process ends before an attempt is recorded, the
message is still waiting, and the job that woke its endpoint is taken again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import structlog
from nacl.public import PrivateKey
from pgqueuer.domain.models import Job

from consumers.delivery import delivery_lease
from consumers.delivery.queue import CHANNEL, Queue, endpoint_of
from consumers.delivery.secrets import opening_keys, publish_key, signature_headers
from consumers.delivery.webhooks import store
from consumers.delivery.webhooks.active import Active, Attempt, Health, Message, in_hand_each
from consumers.delivery.webhooks.bodies import Bodies
from consumers.delivery.webhooks.client import WebhookClient
from consumers.delivery.webhooks.schedule import Outcome, disable_reason, is_late, policy, verdict
from events.errors import StandDown
from infra.keys.team_seals import TeamSeals
from infra.observability.telemetry import count, gauge
from infra.postgres.connection import TRANSIENT_ERRORS, Connection
from infra.process.leader_election import Term
from infra.process.tasks import pause
from infra.settings import Settings

JOBS_MAX: Final = 1_000
"""Most jobs taken in a round."""
UNRECORDED_MAX: Final = 100
"""While so many attempts have ended and are not recorded, none begins: a process that is killed repeats them."""
GATHER_S: Final = 0.005
"""Attempts that end within this time are recorded together."""
REFRESH_S: Final = 5.0
"""The row and secrets of an endpoint that keeps sending are read again after this."""
FINISH_S: Final = 5.0
"""At a stop, requests under way may end within this time."""
CONTENT_TYPE: Final = "application/cloudevents+json"

log = structlog.get_logger()


async def send(settings: Settings, term: Term, round_ended: Callable[[], None]) -> None:
    """Send what is due, until the term ends."""
    async with term.connected(settings, "webhooks") as connection, WebhookClient(settings) as client:
        sender = Sender(settings, term, connection, client)
        await sender.run(round_ended)


class Sender:
    """The sender of one term."""

    def __init__(self, settings: Settings, term: Term, connection: Connection, client: WebhookClient) -> None:
        self._settings = settings
        self._term = term
        self._connection = connection
        self._client = client
        self._queue = Queue(connection)
        self._policy = policy(settings)
        self._bodies = Bodies()
        self._active: dict[str, Active] = {}
        self._health: dict[str, Health] = {}
        self._ended: list[Attempt] = []
        self._requests: set[asyncio.Task[None]] = set()
        self._bug: Exception | None = None
        self._woken = asyncio.Event()
        self._refresh_at = 0.0

    async def run(self, round_ended: Callable[[], None]) -> None:
        """Until the term's stop."""
        async with self._connection.transaction():
            await delivery_lease.hold(self._connection, self._term.epoch)
            await publish_key(self._connection, self._keys())
            await self._queue.give_back()
        await self._connection.add_listener(CHANNEL, self._notified)
        try:
            while not self._term.stop.is_set():
                self._woken.clear()
                more = await self._round()
                round_ended()
                if not more:
                    await pause(self._woken, self._settings.lease_renew_ms / 1000)
                    if self._ended:
                        await asyncio.sleep(GATHER_S)
        finally:
            await self._finish()

    def _keys(self) -> list[PrivateKey]:
        return opening_keys(self._settings, datetime.now(UTC))

    def _loaded(self) -> tuple[list[PrivateKey], TeamSeals]:
        return self._keys(), TeamSeals.of(self._settings)

    def _notified(self, connection: object, sender: int, channel: str, payload: object) -> None:
        if "insert" in str(payload):
            self._woken.set()

    async def _round(self) -> bool:
        """Whether the next one should follow at once."""
        if self._bug is not None:
            raise self._bug
        jobs = await self._record_and_take(JOBS_MAX)
        await self._activate(jobs)
        await self._read()
        self._start()
        gauge("webhooks_in_flight", len(self._requests))
        return len(jobs) == JOBS_MAX

    # Recording

    async def _record_and_take(self, jobs_max: int) -> list[Job]:
        """In one transaction under the lease's epoch: write what has ended since the last round, release endpoints
        that have nothing more to send, and take jobs."""
        attempts, now = list(self._ended), time.monotonic()
        concerned = {attempt.message.endpoint_id: self._active[attempt.message.endpoint_id] for attempt in attempts}
        for active in concerned.values():
            active.is_read = False  # the next of its lane becomes due
        # Before anything is awaited: an attempt that ends meanwhile is not among those that are recorded.
        ended = [active for active in self._active.values() if active.has_ended(now)]
        async with self._connection.transaction():
            await delivery_lease.hold(self._connection, self._term.epoch)
            await store.record(self._connection, attempts)
            await self._judge(attempts, concerned)
            jobs = await self._queue.take(jobs_max) if jobs_max else []
            woken = {endpoint_of(job) for job in jobs}
            over = [active for active in ended if active.endpoint_id not in woken or not active.may_send(now)]
            await self._release(over, now)
            for active in over:
                del self._active[active.endpoint_id]
            # The job that woke an endpoint first stands for it until it is released.
            await self._queue.done([job for job in jobs if endpoint_of(job) in self._active])
        del self._ended[: len(attempts)]
        for attempt in attempts:
            outcome = attempt.outcome
            count("webhook_attempts", code=outcome.cause or outcome.error or str(outcome.status))
        return jobs

    async def _judge(self, attempts: Sequence[Attempt], concerned: Mapping[str, Active]) -> None:
        """What the attempts say about their endpoints, in order."""
        failing: dict[str, datetime | None] = {}
        for attempt in attempts:
            active = concerned[attempt.message.endpoint_id]
            since = None if attempt.outcome.delivered else active.failing_since or attempt.at
            if since != active.failing_since:
                active.failing_since = failing[active.endpoint_id] = since
            reason = disable_reason(attempt.outcome, active.failing_since, attempt.at, self._policy)
            if reason is not None and active.disabled_reason is None:
                active.disabled_reason = reason
                await store.disable(self._connection, active.endpoint_id, reason)
        await store.mark_failing(self._connection, failing)

    async def _release(self, over: Sequence[Active], now: float) -> None:
        """The jobs of these endpoints are done. Each is woken again when something becomes due, or its rest ends."""
        disabled = [active.endpoint_id for active in over if active.disabled_reason is not None]
        await store.cancel_waiting(self._connection, disabled)
        works = [active for active in over if active.disabled_reason is None]
        resting = {active.endpoint_id: active.health.rests_until - now for active in works if active.is_resting(now)}
        read = [
            (active.endpoint_id, active.read_at)
            for active in works
            if active.read_at is not None and active.endpoint_id not in resting
        ]
        await self._queue.wake(resting | await store.next_due(self._connection, read, self._policy))
        await self._queue.done([job for active in over for job in active.jobs])

    # Reading

    async def _activate(self, jobs: Sequence[Job]) -> None:
        """Have the endpoints of these jobs read from now on."""
        new: dict[str, list[Job]] = {}
        for job in jobs:
            active = self._active.get(endpoint_of(job))
            if active is not None:
                active.is_read = False
            else:
                new.setdefault(endpoint_of(job), []).append(job)
        wanted = {endpoint_of(job) for job in jobs}
        if time.monotonic() >= self._refresh_at:
            wanted |= self._active.keys()
            self._refresh_at = time.monotonic() + REFRESH_S
        if not wanted:
            return
        for found in await store.read_endpoints(self._connection, self._loaded, wanted, self._health):
            known = self._active.setdefault(found.endpoint_id, found)
            known.url, known.secrets, known.disabled_reason = found.url, found.secrets, found.disabled_reason
            known.jobs += new.pop(found.endpoint_id, [])
        await self._queue.done([job for unknown in new.values() for job in unknown])

    async def _read(self) -> None:
        """Read the due messages of endpoints that have few in hand."""
        now, each = time.monotonic(), in_hand_each(len(self._active))
        wanted = {
            active.endpoint_id: number
            for active in self._active.values()
            if active.may_send(now) and (number := active.wants(each))
        }
        if not wanted:
            return
        read_at, messages = await store.read_due(self._connection, wanted, self._in_hand(), self._policy)
        await self._bodies.load(self._connection, messages)
        found = dict.fromkeys(wanted, 0)
        for message in messages:
            self._active[message.endpoint_id].ready.append((message, self._bodies.of(message)))
            found[message.endpoint_id] += 1
        for endpoint_id, number in wanted.items():
            active = self._active[endpoint_id]
            active.read_at, active.is_read = read_at, found[endpoint_id] < number

    def _in_hand(self) -> list[int]:
        """Messages that are read or under way, and those that have ended but are not recorded."""
        ids = [attempt.message.message_id for attempt in self._ended]
        for active in self._active.values():
            ids += active.in_flight
            ids += [message.message_id for message, _ in active.ready]
        return ids

    # Sending

    def _start(self) -> None:
        """Start requests, as far as the bounds allow. Endpoints take turns."""
        candidates = [active for active in self._active.values() if active.ready]
        while candidates:
            candidates = [active for active in candidates if self._start_one(active)]

    def _start_one(self, active: Active) -> bool:
        """Start the endpoint's next request, if it may have one now."""
        under_way, most = len(self._requests), self._settings.webhook_in_flight_max
        # Where many are under way, some may hang: each endpoint then gets one.
        limit = 1 if 2 * under_way > most else self._settings.webhook_endpoint_in_flight_max
        if under_way >= most or len(self._ended) >= UNRECORDED_MAX or not active.may_start(limit, time.monotonic()):
            return False
        message, body = active.ready.popleft()
        active.in_flight.add(message.message_id)
        request = asyncio.create_task(self._attempt(active, message, body))
        self._requests.add(request)
        request.add_done_callback(self._requests.discard)
        return True

    async def _attempt(self, active: Active, message: Message, body: bytes) -> None:
        try:
            at = datetime.now(UTC)
            late = is_late(message.created_at, at, self._policy)
            outcome = await self._outcome(active, message, body, at, late=late)
            found = verdict(message.attempts + 1, outcome, self._policy, random.random())  # noqa: S311
        except asyncio.CancelledError:  # it may have arrived: the message is read again, in this term or in the next
            active.in_flight.discard(message.message_id)
            active.is_read = False
            self._woken.set()
            raise
        except Exception as error:  # a bug in the bookkeeping, which ends the term: no other task awaits this one
            self._bug = error
            self._woken.set()
            return
        self._note(active, outcome)
        active.in_flight.discard(message.message_id)
        self._ended.append(Attempt(message, at, outcome, found, late))
        self._start_one(active)
        self._woken.set()

    async def _outcome(self, active: Active, message: Message, body: bytes, at: datetime, *, late: bool) -> Outcome:
        """What a request gave. A bug in one, which a receiver's answer may bring about, is its failure and that of no
        other: nothing here is read from the database."""
        try:
            return await self._post(active, message, body, at, late=late)
        except Exception as error:
            ids = {"endpoint_id": message.endpoint_id, "message": message.message_id}
            log.error("an unknown error ends an attempt to deliver a webhook", **ids, exc_info=error)
            return Outcome(None, "bad-answer", 0)

    async def _post(self, active: Active, message: Message, body: bytes, at: datetime, *, late: bool) -> Outcome:
        if active.secrets is None:
            return Outcome(None, "no-secret", 0)
        headers = {
            "content-type": CONTENT_TYPE,
            **signature_headers(active.secrets, message.webhook_id, int(at.timestamp()), body),
            **message.marks(late=late),
        }
        return await self._client.post(active.url, headers, body)

    def _note(self, active: Active, outcome: Outcome) -> None:
        """Remember the health of an endpoint while it fails, also when it has nothing to send."""
        active.health.note(outcome, time.monotonic())
        if outcome.delivered:
            self._health.pop(active.endpoint_id, None)
        else:
            self._health[active.endpoint_id] = active.health

    # Ending

    async def _finish(self) -> None:
        """Record what ends soon; requests that take longer are cut, and made again in the next term."""
        if self._requests:
            await asyncio.wait(self._requests, timeout=FINISH_S)
        for request in list(self._requests):
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)
        with suppress(*TRANSIENT_ERRORS, StandDown):
            await self._record_and_take(0)
