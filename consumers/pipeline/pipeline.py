"""The one loop: entries of the national log, applied exactly once, in order, by every consumer.

An aiokafka consumer takes raw records from the log's topic; a bounded queue hands parsed entries to one
writer, which applies a batch and moves the consumer's position in one transaction. Kafka is only the quick way: with
nothing arriving, the writer looks at the log itself.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from uuid import uuid4

import structlog
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from consumers.fold.consumer import Consumer
from consumers.pipeline.batch_buffer import BatchBuffer
from consumers.pipeline.subscription import receive
from consumers.pipeline.writer import Fenced, Writer, parse_records
from consumers.rebuild.rebuild import RebuildOptions, rebuild
from events.errors import Halt, Retry
from infra.log.reader import log_size
from infra.observability.logs import LogOnce
from infra.observability.telemetry import carried_traces, count, forget_gauges, gauge
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connect, is_transient
from infra.postgres.migrate import create_tables
from infra.process import lease
from infra.process.health import Progress, Readiness
from infra.process.tasks import pause, until_one_ends
from infra.settings import Settings

PORTION_RECORDS: Final = 512
"""Records parsed in one go, some milliseconds: between two portions the writer takes PostgreSQL's answer."""
LOOK_AT_LOG_S: Final = 1.0
"""How often the writer asks PostgreSQL how long the log is, and reads it there when Kafka brings nothing."""
UNKNOWN_ERROR_EXIT: Final = 70
_REPLACE: Final = RebuildOptions(compare=False, swap=True)

log = structlog.get_logger()


class Pipeline:
    """Stands by for the consumer's lease, and applies the log while it has it."""

    def __init__(self, consumer: Consumer, settings: Settings) -> None:
        self.consumer = consumer
        self.settings = settings
        self.name = f"{socket.gethostname()}-{uuid4().hex[:8]}"
        self.lease_name = f"consumer.{consumer.name}"
        self.log_size = 0
        self.standing_by = False
        self.halted: str | None = None
        self.progress = Progress(time.monotonic)
        self._wait_ms = settings.retry_wait_min_ms
        self._keeping = asyncio.Lock()
        self._buffer = BatchBuffer(settings.batch_records_max)
        self._halt = LogOnce("halted: nothing more is applied", "no longer halted")
        self._wait = LogOnce("waiting to go on", "going on")
        self._kafka = LogOnce("Kafka is away: the log is read from PostgreSQL", "Kafka answers again")

    def readiness(self) -> Readiness:
        """Ready while it applies the log or stands by."""
        self.progress.standby = self.standing_by
        self.progress.halted = self.halted
        return self.progress.readiness()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. A transient error waits and starts anew from the position; an unknown one ends the process."""
        while not stop.is_set():
            try:
                await self._own(stop)
            except Fenced as error:
                count("fenced_writers", process=self.consumer.name)
                log.warning("another process took over: standing by", consumer=self.consumer.name, reason=str(error))
            except Halt as error:
                self.halted = str(error)
                self._halt.begins(error, consumer=self.consumer.name)
                await pause(stop, self.settings.retry_wait_max_ms / 1000)
            except Exception as error:
                if not is_transient(error) and not isinstance(error, Retry):
                    log.exception("an unknown error ends the process", consumer=self.consumer.name)
                    raise SystemExit(UNKNOWN_ERROR_EXIT) from None
                self._wait.begins(error, consumer=self.consumer.name)
                count("retries", process=self.consumer.name)
                await pause(stop, self._wait_ms / 1000)
                self._wait_ms = min(2 * self._wait_ms, self.settings.retry_wait_max_ms)

    async def _own(self, stop: asyncio.Event) -> None:
        """Wait for the lease, then apply the log until `stop` or an error."""
        keeper = await connect(self.settings, f"{self.consumer.name} lease")
        try:
            epoch = await self._stand_by(keeper, stop)
            if epoch is None:
                return
            try:
                await self._apply_log(keeper, epoch, stop)
            finally:
                with suppress(*TRANSIENT_ERRORS):
                    await lease.release(keeper, self.lease_name, epoch)
        finally:
            with suppress(*TRANSIENT_ERRORS):
                await keeper.close(timeout=1)

    async def _stand_by(self, keeper: Connection, stop: asyncio.Event) -> int | None:
        """The epoch, as soon as the lease is free; None at a stop."""
        while not stop.is_set():
            epoch = await lease.claim(keeper, self.lease_name, self.name, self.settings)
            if epoch is not None:
                if self.standing_by:
                    self.standing_by = False
                    self.progress.begin()
                return epoch
            self.standing_by = True
            forget_gauges()
            self._wait.ends(consumer=self.consumer.name)
            await pause(stop, self.settings.lease_renew_ms / 1000)
        return None

    async def _apply_log(self, keeper: Connection, epoch: int, stop: asyncio.Event) -> None:
        connection = await connect(self.settings, self.consumer.name)
        try:
            await create_tables(connection, self.consumer.schema, self.consumer.create_sql())
            await connection.execute(f"SET search_path = {self.consumer.schema}")
            writer = Writer(self.consumer, connection, epoch)
            rows_are_current = await writer.open()
            self._look(writer, await log_size(connection))
            log.info("applying", consumer=self.consumer.name, position=writer.position, epoch=epoch)
            self._buffer = BatchBuffer(self.settings.batch_records_max)
            self._keeping = asyncio.Lock()
            try:
                await until_one_ends(
                    self._work(writer, rows_are_current=rows_are_current),
                    self._keep(keeper, writer, epoch),
                    self._receive(writer),
                    self._finish(writer, stop),
                )
            except Halt as error:
                await writer.halt(str(error))
                raise
        finally:
            with suppress(*TRANSIENT_ERRORS):
                await connection.close(timeout=1)

    async def _work(self, writer: Writer, *, rows_are_current: bool) -> None:
        if not rows_are_current:
            await self._rebuild()
        await self._write(writer)

    async def _rebuild(self) -> None:
        """Build the rows that older rules wrote again, beside them; nothing is applied before they are swapped in."""
        log.info("older rules wrote the rows: they are rebuilt from the log", consumer=self.consumer.name)
        self.progress.paused = {"rebuild": "rows of older rules are built again from the log"}
        try:
            await rebuild(self.settings, self.consumer, _REPLACE, lambda entries: self.progress.begin())
        finally:
            self.progress.paused = {}
        log.info("the rebuilt rows are live", consumer=self.consumer.name)

    async def _write(self, writer: Writer) -> None:
        """Apply what arrives; with nothing arriving, what the log holds."""
        while True:
            before = writer.position
            try:
                async with asyncio.timeout(LOOK_AT_LOG_S):
                    batch = await self._buffer.get()
            except TimeoutError:
                self._look(writer, await log_size(writer.connection))
                if self._buffer.empty():
                    await writer.fill(self.log_size)
            else:
                await writer.apply(batch, self._buffer.release)
                self._buffer.release()
            self._look(writer, self.log_size)
            self._note(moved=writer.position > before, at_end=writer.position == self.log_size)

    def _look(self, writer: Writer, size: int) -> None:
        """Where the writer stands and where the log ends, also while nothing can be applied."""
        self.log_size = max(size, writer.position)
        self.progress.look(writer.position, self.log_size)
        gauge("lag_entries", self.log_size - writer.position, consumer=self.consumer.name)

    def _note(self, *, moved: bool, at_end: bool) -> None:
        """What is said of a halt or a wait holds until the position has moved, or there is nothing to apply."""
        name = self.consumer.name
        if moved or at_end:
            self._wait_ms = self.settings.retry_wait_min_ms
            self._wait.ends(consumer=name)
        if moved and self.halted is not None:
            self.halted = None
            self._halt.ends(consumer=name)

    async def _receive(self, writer: Writer) -> None:
        """Feed the queue from Kafka. While Kafka is away the writer goes on from the log itself."""

        async def take(records: Sequence[ConsumerRecord]) -> None:
            traces = carried_traces((record.headers, None) for record in records)
            with self._buffer.growing():
                for start in range(0, len(records), PORTION_RECORDS):
                    for batch in parse_records(records[start : start + PORTION_RECORDS]):
                        batch.traces = traces
                        await self._buffer.put(batch)
                    await asyncio.sleep(0)
            await self._buffer.room()

        while True:
            try:
                await receive(
                    self.settings,
                    lambda: writer.position,
                    take,
                    started=lambda: self._kafka.ends(consumer=self.consumer.name),
                )
            except (*TRANSIENT_ERRORS, KafkaError) as error:
                self._kafka.begins(error, consumer=self.consumer.name)
            await asyncio.sleep(self.settings.retry_wait_max_ms / 1000)

    async def _keep(self, keeper: Connection, writer: Writer, epoch: int) -> None:
        """Renew the lease and look how long the log is, on a connection that no batch holds up."""
        while True:
            await asyncio.sleep(self.settings.lease_renew_ms / 1000)
            async with self._keeping:
                if not await lease.renew(keeper, self.lease_name, epoch, self.settings):
                    raise Fenced(f"epoch {epoch} of {self.consumer.name} was superseded")
                self._look(writer, await log_size(keeper))

    async def _finish(self, writer: Writer, stop: asyncio.Event) -> None:
        """End at `stop`, between two transactions and with no statement under way on the lease's connection."""
        await stop.wait()
        await writer.finish()
        await self._keeping.acquire()
