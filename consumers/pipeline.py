"""The one loop: entries of the national log, applied exactly once, in order, by every consumer.

A FastStream batch subscriber takes raw records from the log's topic; a bounded queue hands parsed entries to one
writer. A consumer keeps one number, its position. In one transaction the writer locks it under its epoch, applies the
batch and moves it. What lies below the position is skipped, what lies above it is a gap and is read from the bundles in
PostgreSQL, and nothing is applied whose leaf hash is not the log's. Kafka is only the quick way: with nothing arriving,
the writer looks at the log itself.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka import TopicPartition as SubscribedPartition
from faststream.kafka.message import FAKE_CONSUMER
from faststream.security import SASLScram512

from consumers.consumer import Consumer, apply
from events.entry import Entry, parse_entry
from infra import lease, outbox
from infra.health import Progress, Readiness
from infra.kafka import client_arguments
from infra.log_reader import log_size, read_entries, read_leaves
from infra.logs import SaidOnce
from infra.migrate import create_tables
from infra.postgres import TRANSIENT_ERRORS, Connection, connect
from infra.settings import Settings
from infra.sql import queries
from infra.telemetry import carried_traces, count, gauge, observe, span

_SQL: Final = queries("consumers", "pipeline.sql")
QUEUE_BATCHES_MAX: Final = 2
BATCH_TIMEOUT_MS: Final = 20
LOOK_AT_LOG_S: Final = 1.0
UNKNOWN_ERROR_EXIT: Final = 70
OLD_RULES_EXIT: Final = 78

log = structlog.get_logger()


class Fenced(Exception):
    """Another process of this consumer has taken over: this one stands by."""


class LeafMismatch(Exception):
    """An entry is not the one that stands in the log's tree: nothing of its batch is applied."""


@dataclass(slots=True)
class Batch:
    """Consecutive entries from `first_index` on: bytes (for the leaf check), parsed, and the traces that they carry."""

    first_index: int
    raw: Sequence[bytes]
    entries: list[Entry]
    traces: list[str] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.first_index + len(self.raw)

    def without(self, count_: int) -> Batch:
        """The batch less its first `count_` entries."""
        return Batch(self.first_index + count_, self.raw[count_:], self.entries[count_:], self.traces)


def parse_records(records: Sequence[ConsumerRecord]) -> list[Batch]:
    """Records of the log's topic as runs of consecutive indexes; repeats simply begin a new run."""
    batches: list[Batch] = []
    expected = -1
    raw: list[bytes] = []
    entries: list[Entry] = []
    for record in records:
        index = int(record.headers[0][1])  # the registrar writes `index` first, then `leaf`
        if index != expected:
            raw, entries = [], []
            batches.append(Batch(index, raw, entries))
        value = record.value
        raw.append(value)
        entries.append(parse_entry(index, value))
        expected = index + 1
    return batches


def check_leaves(first_index: int, raw: Sequence[bytes], leaves: bytes) -> None:
    """Raise `LeafMismatch` unless each entry hashes to the log's leaf."""
    computed = b"".join([sha256(b"\x00" + entry).digest() for entry in raw])
    if computed != leaves:
        for i in range(len(raw)):
            if computed[32 * i : 32 * i + 32] != leaves[32 * i : 32 * i + 32]:
                raise LeafMismatch(f"the entry that came as index {first_index + i} is not the one in the log's tree")


class Writer:
    """One epoch of a consumer: its position, and the transactions that move it."""

    def __init__(self, consumer: Consumer, connection: Connection, epoch: int) -> None:
        self.consumer = consumer
        self.connection = connection
        self.epoch = epoch
        self.position = 0
        self.gaps_filled = 0

    async def open(self) -> None:
        """Take the position over: from here on only this epoch moves it."""
        row = await self.connection.fetchrow(
            _SQL["take_over"], self.consumer.name, self.epoch, self.consumer.rules_version
        )
        if row is None:
            log.error("this process has older rules than the consumer's position", consumer=self.consumer.name)
            raise SystemExit(OLD_RULES_EXIT)
        self.position = row["position"]

    async def apply(self, batch: Batch) -> None:
        """Apply what of `batch` lies at the position, after filling a gap before it."""
        if batch.first_index > self.position:
            await self.fill(batch.first_index)
        if batch.end <= self.position:
            return
        if batch.first_index < self.position:
            batch = batch.without(self.position - batch.first_index)
        await self._transact(batch)

    async def fill(self, end: int) -> None:
        """Apply the entries up to `end` from the bundles."""
        while self.position < end:
            first = self.position
            raw = await read_entries(self.connection, first, min(4096, end - first))
            if not raw:
                return
            entries = [parse_entry(first + i, entry) for i, entry in enumerate(raw)]
            await self._transact(Batch(first, raw, entries))
            self.gaps_filled += len(raw)
            count("gaps_filled", len(raw), consumer=self.consumer.name)

    async def _transact(self, batch: Batch) -> None:
        name, first, began = self.consumer.name, batch.first_index, time.monotonic()
        with span("apply", batch.traces, consumer=name, first_index=first, entries=len(batch.raw)):
            await self._commit(batch)
        self.position = batch.end
        count("entries_applied", len(batch.raw), consumer=name)
        observe("batch_records", len(batch.raw), process=name)
        observe("batch_seconds", time.monotonic() - began, process=name)

    async def _commit(self, batch: Batch) -> None:
        connection = self.connection
        async with connection.transaction():
            moved = await connection.fetchval(
                _SQL["move"], self.consumer.name, self.epoch, self.position, batch.end, self.consumer.rules_version
            )
            if not moved:
                raise Fenced(f"epoch {self.epoch} of {self.consumer.name} does not own position {self.position}")
            check_leaves(batch.first_index, batch.raw, await read_leaves(connection, batch.first_index, len(batch.raw)))
            decided = await apply(connection, self.consumer, batch.entries)
            await outbox.write(connection, decided)


class Pipeline:
    """Stands by for the consumer's lease, and applies the log while it has it."""

    def __init__(self, consumer: Consumer, settings: Settings) -> None:
        self.consumer = consumer
        self.settings = settings
        self.name = f"{socket.gethostname()}-{uuid4().hex[:8]}"
        self.lease_name = f"consumer.{consumer.name}"
        self.writer: Writer | None = None
        self.log_size = 0
        self.standing_by = False
        self.halted: str | None = None
        self._queue: asyncio.Queue[Batch] = asyncio.Queue(QUEUE_BATCHES_MAX)
        self.progress = Progress(time.monotonic)
        self._halt = SaidOnce("halted: nothing more is applied", "no longer halted")
        self._wait = SaidOnce("waiting to go on", "going on")
        self._kafka = SaidOnce("Kafka is away: the log is read from PostgreSQL", "Kafka answers again")

    def readiness(self) -> Readiness:
        """Ready while it applies the log or stands by."""
        self.progress.standby = self.standing_by
        self.progress.halted = self.halted
        return self.progress.readiness()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. A transient error waits and starts anew from the position; an unknown one ends the process."""
        wait_ms = self.settings.retry_wait_min_ms
        while not stop.is_set():
            try:
                if await self._own(stop):
                    wait_ms = self.settings.retry_wait_min_ms
                else:
                    await _pause(stop, self.settings.lease_renew_ms / 1000)
            except Fenced as error:
                count("fenced_writers", process=self.consumer.name)
                log.warning("another process took over: standing by", consumer=self.consumer.name, reason=str(error))
            except LeafMismatch as error:
                self.halted = str(error)
                self._halt.begins(error, consumer=self.consumer.name)
                await _pause(stop, self.settings.retry_wait_max_ms / 1000)
            except TRANSIENT_ERRORS as error:
                self._wait.begins(error, consumer=self.consumer.name)
                count("retries", process=self.consumer.name)
                await _pause(stop, wait_ms / 1000)
                wait_ms = min(2 * wait_ms, self.settings.retry_wait_max_ms)
            except Exception:
                log.exception("an unknown error ends the process", consumer=self.consumer.name)
                raise SystemExit(UNKNOWN_ERROR_EXIT) from None

    async def _own(self, stop: asyncio.Event) -> bool:
        """Apply the log if the lease is free; False when another process has it."""
        connection = await connect(self.settings, self.consumer.name)
        keeper = await connect(self.settings, f"{self.consumer.name} lease")
        try:
            epoch = await lease.claim(keeper, self.lease_name, self.name, self.settings)
            self.standing_by = epoch is None
            if epoch is None:
                return False
            await create_tables(connection, self.consumer.schema, self.consumer.create_sql())
            await connection.execute(f"SET search_path = {self.consumer.schema}")
            self.writer = Writer(self.consumer, connection, epoch)
            await self.writer.open()
            try:
                await self._work(self.writer, keeper, stop)
            finally:
                with suppress(*TRANSIENT_ERRORS):
                    await lease.release(keeper, self.lease_name, epoch)
            return True
        finally:
            self.writer = None
            for opened in (connection, keeper):
                with suppress(*TRANSIENT_ERRORS):
                    await opened.close(timeout=1)

    async def _work(self, writer: Writer, keeper: Connection, stop: asyncio.Event) -> None:
        self._queue = asyncio.Queue(QUEUE_BATCHES_MAX)
        self._wait.ends(consumer=self.consumer.name)
        log.info("applying", consumer=self.consumer.name, position=writer.position, epoch=writer.epoch)
        tasks = [
            asyncio.create_task(self._write(writer)),
            asyncio.create_task(self._keep(writer, keeper)),
            asyncio.create_task(self._receive(writer)),
            asyncio.create_task(stop.wait()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self, writer: Writer) -> None:
        """Feed the queue from Kafka. While Kafka is away the writer goes on from the log itself."""
        while True:
            broker = self._subscribe(writer)
            try:
                await broker.start()
                self._kafka.ends(consumer=self.consumer.name)
                await asyncio.Event().wait()
            except Exception as error:
                self._kafka.begins(error, consumer=self.consumer.name)
            finally:
                with suppress(Exception):
                    await broker.stop()
            await asyncio.sleep(self.settings.retry_wait_max_ms / 1000)

    def _subscribe(self, writer: Writer) -> KafkaBroker:
        arguments = client_arguments(self.settings)
        security = None
        if "sasl_plain_username" in arguments:
            security = SASLScram512(
                arguments["sasl_plain_username"],
                arguments["sasl_plain_password"],
                ssl_context=arguments.get("ssl_context"),
                use_ssl="ssl_context" in arguments,
            )
        broker = KafkaBroker(
            arguments["bootstrap_servers"],
            security=security,
            logger=None,
            graceful_timeout=1,
            allow_auto_create_topics=False,
            consumer_only=True,
        )
        partition = TopicPartition(self.settings.log_topic, 0)
        subscriber = broker.subscriber(
            partitions=[SubscribedPartition(partition.topic, partition=partition.partition, declare=False)],
            batch=True,
            max_records=self.settings.batch_records_max,
            batch_timeout_ms=BATCH_TIMEOUT_MS,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=self.settings.fetch_bytes_max,
            parser=_raw_message,
            decoder=_no_decoding,
        )
        sought = False

        @subscriber
        async def handle(message: KafkaMessage) -> None:
            nonlocal sought
            try:
                if not sought:
                    # A repeat only adds records: the record of an index never stands before the offset of that number.
                    sought = True
                    if writer.position > 0:
                        await _seek(subscriber.consumer, partition, writer.position)
                        return
                records: Any = message.raw_message
                traces = carried_traces((record.headers, None) for record in records)
                for batch in parse_records(records):
                    batch.traces = traces
                    await self._queue.put(batch)
            except Exception:
                log.exception("an unknown error while reading ends the process", consumer=self.consumer.name)
                os._exit(UNKNOWN_ERROR_EXIT)

        return broker

    async def _write(self, writer: Writer) -> None:
        while True:
            try:
                batch = await asyncio.wait_for(self._queue.get(), LOOK_AT_LOG_S)
            except TimeoutError:
                before = writer.position
                self.log_size = await log_size(writer.connection)
                if self.log_size > before and self._queue.empty():
                    await writer.fill(self.log_size)
            else:
                await writer.apply(batch)
                self.log_size = max(self.log_size, writer.position)
            if self.halted is not None:
                self.halted = None
                self._halt.ends(consumer=self.consumer.name)
            self.progress.look(writer.position, self.log_size)
            gauge("lag_entries", self.log_size - writer.position, consumer=self.consumer.name)

    async def _keep(self, writer: Writer, keeper: Connection) -> None:
        while True:
            await asyncio.sleep(self.settings.lease_renew_ms / 1000)
            if not await lease.renew(keeper, self.lease_name, writer.epoch, self.settings):
                raise Fenced(f"epoch {writer.epoch} of {self.consumer.name} was superseded")


async def _raw_message(records: Any) -> KafkaMessage:
    """FastStream's own parser decodes every header of every record; here nothing is decoded and nothing can fail."""
    return KafkaMessage(body=b"", raw_message=records, consumer=FAKE_CONSUMER)


async def _seek(consumer: Any, partition: TopicPartition, position: int) -> None:
    end = (await consumer.end_offsets([partition]))[partition]
    consumer.seek(partition, min(position, end))


async def _no_decoding(_: Any) -> None:
    return None


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
