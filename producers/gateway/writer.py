"""Writes the events of many requests to Kafka, in order per topic, and returns their offsets to each request.

While one batch of a topic is in flight, further requests queue and form the next batch. A request succeeds only with
offsets that Kafka acknowledged (`acks=all`). Otherwise it fails: *not stored* if none of its events was given to the
client, else *unknown*.

A producer is replaced at its first error, and when a batch is not acknowledged within the requests' timeout.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from events.errors import Retry
from events.wire.codec import STRUCTURED_HEADERS
from infra.kafka.client_config import NoKafka, client_arguments
from infra.kafka.clients import BATCH_BYTES_MAX, abort_producer, send_batch, started_producer
from infra.observability.logs import LogOnce
from infra.observability.telemetry import trace_header
from infra.settings import Settings
from infra.tls.certificate_files import CertificateUnusable
from producers.errors import OutcomeUnknown

_NOT_COMPRESSED: Final = 0
_CONNECT_WAIT_S: Final = 0.5
_CONNECT_TIMEOUT_S: Final = 5.0

_logger = structlog.get_logger(__name__)


class NotStored(Retry):
    """Kafka is away, and nothing of this request was handed to it."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """The events of one request: `taken` of them were given to the client, `offsets` are those acknowledged."""

    values: Sequence[bytes]
    done: asyncio.Future[list[int]]
    taken: int = 0
    offsets: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Topic:
    """One topic's queue. `sent_at` is the time at which the batch in flight was sent, None without one."""

    name: str
    queue: deque[_Waiting] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    sent_at: float | None = None


@dataclass(slots=True, eq=False)
class _Connection:
    """A producer, and whether it was abandoned: then the tasks that send with it end."""

    producer: AIOKafkaProducer
    given_up: bool = False
    sending: set[asyncio.Task[Any]] = field(default_factory=set)


class KafkaWriter:
    """Writes to agencies' topics as the gateway's Kafka user."""

    def __init__(
        self,
        settings: Settings,
        make_producer: Callable[..., AIOKafkaProducer] = AIOKafkaProducer,
        connect_wait_s: float = _CONNECT_WAIT_S,
    ) -> None:
        self._settings = settings
        self._make_producer = make_producer
        self._connect_wait_s = connect_wait_s
        self._topics: dict[str, _Topic] = {}
        self._connection: _Connection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._away = LogOnce("Kafka does not accept events", "Kafka accepts events again")

    @property
    def connected(self) -> bool:
        """Whether a producer is connected, and no batch has waited too long for its acknowledgement."""
        return self._connection is not None and not any(self._is_stuck(topic) for topic in self._topics.values())

    def start(self) -> None:
        """Connect, and retry until it succeeds."""
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect(), name="connect to Kafka")

    async def stop(self) -> None:
        """Stop. Events that are not acknowledged by now have an unknown outcome."""
        connecting = [] if self._connecting is None else [self._connecting]
        for task in connecting:
            task.cancel()
        connection, self._connection = self._connection, None  # so that giving it up connects no further one
        if connection is not None:
            self._give_up(connection)
        writing = [topic.task for topic in self._topics.values() if topic.task is not None]
        for task in writing:
            task.cancel()
        await asyncio.gather(*connecting, *self._ending, *writing, return_exceptions=True)

    async def write(self, topic_name: str, values: Sequence[bytes]) -> list[int]:
        """The offsets of these events, in order, once acknowledged. Raises `NotStored` or `OutcomeUnknown`."""
        topic = self._topics.setdefault(topic_name, _Topic(topic_name))
        if self._connection is None or self._is_stuck(topic):
            raise NotStored
        loop = asyncio.get_running_loop()
        waiting = _Waiting(values, loop.create_future())
        topic.queue.append(waiting)
        timer = loop.call_later(self._settings.gateway_kafka_timeout_s, _expire, waiting)
        if topic.task is None or topic.task.done():
            topic.task = asyncio.create_task(self._send_all(topic), name=f"write {topic_name}")
        try:
            return await waiting.done
        finally:
            timer.cancel()

    def _is_stuck(self, topic: _Topic) -> bool:
        return topic.sent_at is not None and time.monotonic() - topic.sent_at > self._settings.gateway_stuck_s

    async def _send_all(self, topic: _Topic) -> None:
        """Send batches while events wait. Never raises: each request gets its outcome."""
        while topic.queue:
            connection = self._connection
            if connection is None:
                self._fail_all(topic, NotStored())
                return
            batch = _Batch(BATCH_BYTES_MAX, _NOT_COMPRESSED)
            parts = _fill(batch, topic.queue)
            if not parts:
                continue
            topic.sent_at = time.monotonic()
            try:
                first_offset = await self._acknowledged(connection, topic.name, batch)
            except (Exception, asyncio.CancelledError) as error:  # after any error of the client the outcome is unknown
                self._away.begins(error, topic=topic.name)
                self._give_up(connection)
                self._fail_all(topic, NotStored())
                _fail(parts, OutcomeUnknown())
                return
            finally:
                topic.sent_at = None
            self._away.ends()
            _acknowledge(parts, first_offset)

    async def _acknowledged(self, connection: _Connection, topic: str, batch: _Batch) -> int:
        """The offset of the batch's first record. Raises `TimeoutError` if Kafka does not acknowledge it in time."""
        task = asyncio.current_task()
        assert task is not None
        connection.sending.add(task)
        try:
            async with asyncio.timeout(self._settings.gateway_kafka_timeout_s):
                acknowledgement = await send_batch(connection.producer, batch, topic)
                offset: int = (await acknowledgement).offset
        finally:
            connection.sending.discard(task)
        if offset < 0:  # a repeated batch that the broker no longer remembers
            raise OutcomeUnknown
        return offset

    def _fail_all(self, topic: _Topic, error: Exception) -> None:
        """Fail every waiting request: `NotStored`, or an unknown outcome if part of it was sent."""
        while topic.queue:
            waiting = topic.queue.popleft()
            _fail([(waiting, 0)], OutcomeUnknown() if waiting.taken else error)

    def _give_up(self, connection: _Connection) -> None:
        """Replace a producer after an error, because its sequence may have a permanent gap (aiokafka issue 1017).

        Its other senders are cancelled: one that waits for a topic's metadata would never return after the close.
        """
        if connection.given_up:
            return
        connection.given_up = True
        for task in connection.sending:
            task.cancel()
        if self._connection is connection:
            self._connection = None
            self.start()
        task = asyncio.create_task(abort_producer(connection.producer))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _connect(self) -> None:
        while (error := await self._connect_once()) is not None:
            self._away.begins(error)
            await asyncio.sleep(self._connect_wait_s)
        self._away.ends()

    async def _connect_once(self) -> Exception | None:
        """The error, or None on success."""
        try:
            arguments = client_arguments(self._settings)
        except (NoKafka, CertificateUnusable) as error:
            return error
        started = await started_producer(self._make_producer, arguments, "yesser-gateway", _CONNECT_TIMEOUT_S)
        if isinstance(started, Exception):
            return started
        self._connection = _Connection(started)
        return None


class _Batch(BatchBuilder):  # type: ignore[misc]
    """A batch that takes many events in one call: half the cost of adding an event is the call."""

    def extend(self, values: Sequence[bytes], headers: Sequence[tuple[str, bytes]], now_ms: int) -> int:
        """Add values without keys until the batch is full; returns how many were added."""
        first: int = self.record_count()
        append, offset = self._builder.append, first
        for value in values:
            if append(offset, now_ms, None, value, headers) is None:
                self.close()
                break
            offset += 1
        self._relative_offset = offset
        return offset - first


def _fill(batch: _Batch, queue: deque[_Waiting]) -> list[tuple[_Waiting, int]]:
    """Fill a batch from the queue; returns how many events of each request it took."""
    headers = [*STRUCTURED_HEADERS, *trace_header()]
    now_ms = time.time_ns() // 1_000_000
    parts: list[tuple[_Waiting, int]] = []
    while queue:
        waiting = queue[0]
        if waiting.done.done():  # its request has timed out
            queue.popleft()
            continue
        added = batch.extend(waiting.values[waiting.taken :], headers, now_ms)
        if added:
            waiting.taken += added
            parts.append((waiting, added))
        if waiting.taken < len(waiting.values):
            return parts
        queue.popleft()
    return parts


def _expire(waiting: _Waiting) -> None:
    """Fail a request at its timeout."""
    if not waiting.done.done():
        waiting.done.set_exception(OutcomeUnknown() if waiting.taken else NotStored())


def _acknowledge(parts: Sequence[tuple[_Waiting, int]], first_offset: int) -> None:
    for waiting, count in parts:
        waiting.offsets += range(first_offset, first_offset + count)
        first_offset += count
        if len(waiting.offsets) == len(waiting.values) and not waiting.done.done():
            waiting.done.set_result(waiting.offsets)


def _fail(parts: Sequence[tuple[_Waiting, int]], error: Exception) -> None:
    for waiting, _ in parts:
        if not waiting.done.done():
            waiting.done.set_exception(error)
