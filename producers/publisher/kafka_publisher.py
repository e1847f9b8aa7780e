"""Publishes one agency's events to its Kafka topic, in order, and returns their addresses.

Flows in: the bytes of events. Flows out: batches, each acknowledged with the offset of its first record. An
acknowledgement means that the events are stored; the registrar's verdict comes later (`infra.postgres.verdicts`).

After a fatal error a new producer sends the same bytes again, from the first unacknowledged batch on. So an event may
be stored twice, which the registrar drops as a duplicate, but none is lost or reordered. An event that is not
acknowledged in time has an *unknown* outcome, never a *failed* one.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Self

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from events.wire.codec import STRUCTURED_HEADERS
from infra.clock import backoff_s
from infra.kafka.client_config import ClientArguments, NoKafkaPassword, agency_topic, client_arguments
from infra.kafka.clients import (
    SEND_TIMEOUT_S,
    START_TIMEOUT_S,
    abort_producer,
    send_batch,
    started_producer,
    stop_safely,
)
from infra.observability.telemetry import span, trace_header
from infra.settings import Settings
from infra.tls.client import NotTrusted
from producers.errors import NotAccepted, OutcomeUnknown
from producers.publisher.report import Acknowledged

_PARTITION: Final = 0
_BATCHES_UNACKNOWLEDGED_MAX: Final = 8
_REBUILD_WAIT_MIN_S: Final = 0.1
_REBUILD_WAIT_MAX_S: Final = 3.0
_HOPELESS: Final = (
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    MessageSizeTooLargeError,
)

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """A record's position in Kafka."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(slots=True, eq=False)
class Batch:
    """Consecutive events. `tags` are the caller's numbers for them, such as line numbers."""

    values: list[bytes] = field(default_factory=list)
    tags: list[int] = field(default_factory=list)
    builder: Any = None
    acknowledgement: asyncio.Future[Any] | None = None


def publishing_arguments(settings: Settings, agency: str) -> ClientArguments:
    """The arguments of a producer for the agency: the user of the settings, else the operator, who may publish for any
    agency. Raises `NotAccepted` if neither is configured here."""
    try:
        return client_arguments(settings.acting_as("operator"))
    except NoKafkaPassword:
        raise NotAccepted(
            f"no Kafka credentials for agency {agency}: register it with `yesser agencies add {agency}`,"
            " or set YESSER_KAFKA_USER and YESSER_KAFKA_PASSWORD."
        ) from None


class AgencyPublisher:
    """Sends events of one agency; an asynchronous context manager. One task uses it at a time.

    `delivery_timeout_s` is the longest time without an acknowledgement before the outcome is unknown; a batch that has
    none after `send_timeout_s` is sent again. `chance` gives numbers in [0, 1) as jitter for the pauses between
    attempts. While more than eight batches are unacknowledged, `add` waits. Leaving the block flushes, unless an error
    ends it.

    Entering the block raises `SaslAuthenticationFailed` where Kafka refuses the password, which a process tries again.
    Every method that sends raises `OutcomeUnknown` or `NotAccepted`. The publisher then holds nothing more and can be
    used again: give it the same events again, from the first unacknowledged one on.
    """

    def __init__(
        self,
        settings: Settings,
        agency: str,
        *,
        acknowledged: Acknowledged | None = None,
        delivery_timeout_s: float = 120.0,
        send_timeout_s: float = SEND_TIMEOUT_S,
        chance: Callable[[], float] = random.random,
        make_producer: Callable[..., AIOKafkaProducer] = AIOKafkaProducer,
    ) -> None:
        self.topic = agency_topic(agency)
        self._agency = agency
        self._settings = settings
        self._acknowledged = acknowledged
        self._delivery_timeout_s = delivery_timeout_s
        self._send_timeout_s = send_timeout_s
        self._make_producer = make_producer
        self._producer: AIOKafkaProducer | None = None
        self._open = Batch()
        self._unacknowledged: deque[Batch] = deque()
        self._progress_at = 0.0
        self._chance = chance
        self._failures = 0
        self._has_sent = False
        self._headers = list(STRUCTURED_HEADERS)
        self._span = ExitStack()

    async def __aenter__(self) -> Self:
        self._progress_at = time.monotonic()
        await self._ensure_producer()
        self._span.enter_context(span("publish", agency=self._agency))
        self._headers += trace_header()
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                await self.flush()
        finally:
            self._span.close()
            await self._drop_producer()

    async def publish(self, values: Sequence[bytes]) -> list[Address]:
        """Send events and return their addresses once all are stored.

        Raises `OutcomeUnknown` or `NotAccepted`; publishing the same events again is then safe.
        """
        addresses: list[Address] = []

        def acknowledged(tags: Sequence[int], first_offset: int) -> None:
            addresses.extend(Address(self.topic, _PARTITION, first_offset + i) for i in range(len(tags)))

        self._progress_at = time.monotonic()
        await self.flush()
        before, self._acknowledged = self._acknowledged, acknowledged
        try:
            for value in values:
                await self.add(value)
            await self.flush()
        finally:
            self._acknowledged = before
        return addresses

    async def add(self, value: bytes, tag: int = 0) -> None:
        """Add one event to the current batch, which is sent when it is full, or by `flush` or `push`."""
        batch = self._open
        if batch.builder is None:
            if not self._unacknowledged:
                self._progress_at = time.monotonic()
            async with self._letting_go():
                batch.builder = (await self._ensure_producer()).create_batch()
        if batch.builder.append(key=None, value=value, timestamp=None, headers=self._headers) is None:
            await self.push()
            await self.add(value, tag)
            return
        batch.values.append(value)
        batch.tags.append(tag)

    async def push(self) -> None:
        """Send the current batch without waiting for its acknowledgement."""
        if not self._open.values:
            return
        batch, self._open = self._open, Batch()
        if not self._unacknowledged:
            self._progress_at = time.monotonic()
        # A batch sent after one that failed would be stored before it.
        blocked = bool(self._unacknowledged) and self._unacknowledged[-1].acknowledgement is None
        self._unacknowledged.append(batch)
        async with self._letting_go():
            if not blocked:
                await self._send(batch)
            await self._settle(_BATCHES_UNACKNOWLEDGED_MAX)

    async def flush(self) -> None:
        """Send the current batch and wait until everything is stored."""
        await self.push()
        async with self._letting_go():
            await self._settle(0)

    @asynccontextmanager
    async def _letting_go(self) -> AsyncIterator[None]:
        """After an error that the caller gets, hold nothing more: what was left would fail again before all else."""
        try:
            yield
        except (OutcomeUnknown, NotAccepted):
            self._open, self._failures = Batch(), 0
            self._unacknowledged.clear()
            await self._drop_producer()
            raise

    async def _settle(self, left_max: int) -> None:
        """Process acknowledgements in order until at most `left_max` batches are unacknowledged."""
        while self._unacknowledged:
            batch = self._unacknowledged[0]
            waiting = batch.acknowledgement is not None and not batch.acknowledgement.done()
            if waiting and len(self._unacknowledged) <= left_max:
                return
            first_offset = await self._outcome(batch)
            if first_offset is None:
                await self._start_over()
                continue
            self._unacknowledged.popleft()
            self._progress_at, self._failures = time.monotonic(), 0
            if self._acknowledged is not None:
                self._acknowledged(batch.tags, first_offset)

    async def _outcome(self, batch: Batch) -> int | None:
        """Offset of the batch's first record, or None if the batch must be sent again."""
        if batch.acknowledgement is None:
            return None
        left_s = self._seconds_left()
        done, _ = await asyncio.wait([batch.acknowledgement], timeout=min(left_s, self._send_timeout_s))
        if not done and left_s <= self._send_timeout_s:
            raise self._unknown("no acknowledgement came")
        if not done or batch.acknowledgement.cancelled():
            _logger.warning("producer rebuilt", topic=self.topic, reason="no acknowledgement")
            return None
        error = batch.acknowledgement.exception()
        if error is None:
            # The broker acknowledges an old repeated batch without an offset.
            offset: int = batch.acknowledgement.result().offset
            return offset if offset >= 0 else None
        if isinstance(error, _HOPELESS):
            raise self._hopeless(error) from error
        if not isinstance(error, KafkaError):
            raise error
        _logger.warning("producer rebuilt", topic=self.topic, reason=type(error).__name__)
        return None

    async def _start_over(self) -> None:
        """Send all unacknowledged batches again with a new producer, in the same order."""
        await self._drop_producer()
        await self._back_off()
        for batch in self._unacknowledged:
            batch.builder, batch.acknowledgement = None, None
        for batch in self._unacknowledged:
            await self._send(batch)
            if batch.acknowledgement is None:
                return

    async def _send(self, batch: Batch) -> None:
        """Give a batch to the producer. After a transient error `acknowledgement` stays None."""
        try:
            producer = await self._ensure_producer()
            if batch.builder is None:
                batch.builder = self._rebuilt(producer, batch)
            self._has_sent = True
            async with asyncio.timeout(self._seconds_left()):
                batch.acknowledgement = await send_batch(producer, batch.builder, self.topic)
        except _HOPELESS as error:
            raise self._hopeless(error) from error
        except TimeoutError as error:
            raise self._unknown("Kafka accepted no batch") from error
        except KafkaError as error:
            _logger.warning("producer rebuilt", topic=self.topic, reason=type(error).__name__)

    def _rebuilt(self, producer: AIOKafkaProducer, batch: Batch) -> Any:
        builder = producer.create_batch()
        for value in batch.values:
            builder.append(key=None, value=value, timestamp=None, headers=self._headers)
        return builder

    async def _ensure_producer(self) -> AIOKafkaProducer:
        """A connected producer; retries until the delivery timeout. Raises `NotTrusted` or `SaslAuthenticationFailed`
        if nothing was sent yet."""
        arguments = publishing_arguments(self._settings, self._agency)
        while self._producer is None:
            timeout_s = min(self._seconds_left(), START_TIMEOUT_S)
            started = await started_producer(
                self._make_producer, arguments, f"yesser-publisher-{self._agency}", timeout_s
            )
            if isinstance(started, NotTrusted | SaslAuthenticationFailed) and not self._has_sent:
                raise started
            if isinstance(started, Exception):
                await self._back_off(started)
            else:
                self._producer = started
        return self._producer

    async def _back_off(self, error: BaseException | None = None) -> None:
        self._failures += 1
        pause_s = backoff_s(self._failures, self._chance(), _REBUILD_WAIT_MIN_S, _REBUILD_WAIT_MAX_S)
        if self._seconds_left() < pause_s:
            raise self._unknown("Kafka did not respond") from error
        await asyncio.sleep(pause_s)

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        is_stopped = False
        try:
            # `stop` waits for queued batches, possibly without end, so the wait has a limit.
            is_stopped = await stop_safely(producer.stop())
        finally:
            if not is_stopped:
                await abort_producer(producer)

    def _seconds_left(self) -> float:
        return max(0.001, self._progress_at + self._delivery_timeout_s - time.monotonic())

    def _unknown(self, what: str) -> OutcomeUnknown:
        if not self._has_sent:
            return OutcomeUnknown(
                f"{self.topic}: {what} within {self._delivery_timeout_s:g} s. Nothing was sent: publish again later."
            )
        events = sum(len(batch.values) for batch in self._unacknowledged) + len(self._open.values)
        return OutcomeUnknown(
            f"{self.topic}: {what} within {self._delivery_timeout_s:g} s; the outcome of {events} events is unknown."
            " Publish the same events again: those already stored are dropped as duplicates."
        )

    def _hopeless(self, error: KafkaError) -> NotAccepted:
        return NotAccepted(
            f"{self.topic}: the broker refuses these records ({type(error).__name__})."
            f" Register the agency with `yesser agencies add {self._agency}`, and publish with its own credentials."
        )
