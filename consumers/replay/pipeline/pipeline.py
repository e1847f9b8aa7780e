"""The one loop: entries of the national log, applied exactly once, in order, by every consumer.

A `LogFeed` reads the log's topic and hands parsed entries to a bounded buffer. One writer applies a batch and moves the
consumer's position in one transaction. Kafka is only the faster source: when nothing arrives, the writer reads the log
itself.

Several consumers in one process: the log's topic is read and parsed once, everything else is separate.

Each consumer has its own lease, connection, position and transactions. One that halts, waits or ends does not stop the
others: it is started again here, as a supervisor starts a process again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from consumers.replay.fold.consumer import Consumer
from consumers.replay.pipeline.batch import BatchBuffer, LeafMismatch, Unsubscribed
from consumers.replay.pipeline.log_feed import LogFeed
from consumers.replay.pipeline.writer import NewerRules, Writer
from consumers.replay.rebuild.rebuild import AlreadyRunning, RebuildOptions, rebuild
from events.errors import Halt, YesserError
from infra.errors import is_older_copy
from infra.log.reader import log_size
from infra.observability.telemetry import gauge
from infra.postgres.connection import connect, connected
from infra.postgres.migrate import create_tables
from infra.postgres.sql import queries
from infra.process.health import Progress, Readiness
from infra.process.leader_election import LeaderElection, Term
from infra.process.lease import LeaseSpec
from infra.process.tasks import pause, until_one_ends
from infra.settings import Settings

LOOK_AT_LOG_S: Final = 1.0
"""Seconds without entries from Kafka after which the writer reads the log in PostgreSQL."""
HALT_ENDS_AFTER_S: Final = 10.0
"""A halt is over when the consumer has stood at the log's end for this long: longer than Kafka takes to bring again
what halted it."""
LOG_REBUILD_S: Final = 10.0
"""Seconds between two lines of the log about a rebuild."""
OLD_RULES_EXIT: Final = 78
_SQL: Final = queries("consumers.replay.pipeline", "pipeline.sql")
_REPLACE: Final = RebuildOptions(compare=False, swap=True, hash=False)

log = structlog.get_logger()


class Pipeline:
    """Stands by for the consumer's lease, and applies the log while it holds it.

    `feed` is that of the process, which then also runs it; without one, the pipeline has its own.
    """

    def __init__(
        self,
        consumer: Consumer,
        settings: Settings,
        feed: LogFeed | None = None,
        *,
        halt_ends_after_s: float = HALT_ENDS_AFTER_S,
        look_at_log_s: float = LOOK_AT_LOG_S,
    ) -> None:
        self.consumer = consumer
        self._halt_ends_after_s = halt_ends_after_s
        self._look_at_log_s = look_at_log_s
        self.settings = settings = settings.acting_as(consumer.name)
        self.log_size = 0
        self.progress = Progress(time.monotonic)
        spec = LeaseSpec(f"consumer.{consumer.name}", lambda application: connect(settings, application))
        self._election = LeaderElection(settings, spec, self._apply_log, self.progress)
        self._feed = feed or LogFeed(settings)
        self._runs_feed = feed is None
        self._topic_differs = False

    def readiness(self) -> Readiness:
        """Ready while it applies the log or stands by."""
        return self.progress.readiness()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Where newer rules wrote the rows it ends with an exit code of its own."""
        try:
            await self._election.run(stop)
        except NewerRules as error:
            log.error(str(error), consumer=self.consumer.name, version=str(self.consumer.rows_version))
            raise SystemExit(OLD_RULES_EXIT) from None

    async def _apply_log(self, term: Term) -> None:
        async with term.connected(self.settings, self.consumer.name) as connection:
            await create_tables(connection, self.consumer.schema, self.consumer.create_sql())
            await connection.execute(f"SET search_path = {self.consumer.schema}")
            writer = Writer(self.consumer, connection, term.epoch)
            rows_are_current = await writer.open()
            self._look(writer, await log_size(connection))
            log.info("applying", consumer=self.consumer.name, position=writer.position, epoch=term.epoch)
            try:
                await until_one_ends(
                    self._write(writer, rows_are_current=rows_are_current),
                    self._watch_log(writer),
                    self._finish(writer, term.stop),
                    *([self._feed.run()] if self._runs_feed else []),
                )
            except Halt as error:
                self._topic_differs = isinstance(error, LeafMismatch)
                await writer.halt(str(error))
                raise

    async def _rebuild(self, end: int) -> None:
        """Rebuild rows of another version beside them, up to `end`; nothing is applied before they are swapped in."""
        name = self.consumer.name
        done = {"entries": 0, "of": end}
        logged_at = time.monotonic()

        def progress(entries: int) -> None:
            nonlocal logged_at
            self.progress.begin()
            done["entries"] += entries
            if time.monotonic() - logged_at >= LOG_REBUILD_S:
                logged_at = time.monotonic()
                log.info("rebuilding", consumer=name, **done)

        log.info(
            "the rows are of another version: rebuilding",
            consumer=name,
            version=str(self.consumer.rows_version),
            **done,
        )
        self.progress.rebuilding = {name: done}
        try:
            await rebuild(self.settings, self.consumer, _REPLACE, progress)
        except AlreadyRunning:  # by `yesser rebuild`, which this process waits for
            self.progress.begin()
            raise
        finally:
            self.progress.rebuilding = {}
        log.info("the rebuilt rows are live", consumer=name)

    async def _write(self, writer: Writer, *, rows_are_current: bool) -> None:
        """Apply what arrives; when nothing arrives, what the log has. Rows of another version are rebuilt before."""
        if not rows_are_current:
            await self._rebuild(writer.position)
        while True:
            before = writer.position
            buffer = await self._subscribe(writer)
            self._look(writer, self.log_size)
            self._note(moved=writer.position > before, at_end=False)
            try:
                await self._apply_from(buffer, writer)
            except Unsubscribed:
                continue
            finally:
                self._feed.unsubscribe(buffer)

    async def _apply_from(self, buffer: BatchBuffer, writer: Writer) -> None:
        """Until the writer has read the log itself: what Kafka did not bring in time need not be read from it."""
        from_feed = True
        quiet_since = time.monotonic()
        while from_feed:
            before = writer.position
            try:
                async with asyncio.timeout(self._look_at_log_s):
                    batch = await buffer.get()
            except TimeoutError:
                self._look(writer, await log_size(writer.connection))
                if buffer.empty():
                    await writer.fill(self.log_size)
                    from_feed = writer.position == before
                    quiet_s = time.monotonic() - quiet_since
                    if writer.position == self.log_size and quiet_s >= self._halt_ends_after_s:
                        await self._end_halt(writer)
            else:
                quiet_since = time.monotonic()
                await writer.apply(batch, buffer.release)
                buffer.release()
            self._look(writer, self.log_size)
            self._note(moved=writer.position > before, at_end=writer.position == self.log_size)

    async def _subscribe(self, writer: Writer) -> BatchBuffer:
        """Catch up from PostgreSQL until the feed is at most one transaction ahead, then subscribe to it."""
        while (ahead := self._feed.next_index()) is not None:
            before = writer.position
            if ahead - before <= self.settings.batch_records_max:
                break
            await writer.fill(ahead, is_gap=False)
            if writer.position == before:
                break  # the topic holds more than the log, which halts below
        buffer = BatchBuffer(self.settings.batch_records_max)
        first_index = self._feed.subscribe(buffer, writer.position)
        try:
            await writer.fill(first_index, is_gap=False)
            writer.require(first_index)
        except BaseException:
            self._feed.unsubscribe(buffer)
            raise
        return buffer

    def _look(self, writer: Writer, size: int) -> None:
        """Note the writer's position and the end of the log, also while nothing can be applied."""
        self.log_size = max(size, writer.position)
        self.progress.look(writer.position, self.log_size)
        gauge("lag_entries", self.log_size - writer.position, consumer=self.consumer.name)

    def _note(self, *, moved: bool, at_end: bool) -> None:
        """A halt holds until the position has moved (but see `_end_halt`); a wait also ends where there is nothing to
        apply."""
        if moved:
            self._topic_differs = False
            self._election.moved()
        elif at_end:
            self._election.idle()

    async def _end_halt(self, writer: Writer) -> None:
        """Everything is applied and no error came: what halted it, such as a file, is mended.

        Not so where the topic differs: that it brings nothing may be Kafka's absence.
        """
        if not self._topic_differs and (writer.is_halted or self.progress.halted is not None):
            await writer.end_halt()
            self._election.moved()

    async def _watch_log(self, writer: Writer) -> None:
        """Note the end of the log regularly, on a connection of its own: a batch may use the other one for a while.

        And who holds the consumer up, where it stands.
        """
        pid = writer.connection.get_server_pid()
        try:
            async with connected(self.settings, f"{self.consumer.name} lag") as connection:
                while True:
                    before = writer.position
                    await asyncio.sleep(self.settings.lease_renew_ms / 1000)
                    self._look(writer, await log_size(connection))
                    is_still = writer.position == before < self.log_size
                    holder = await connection.fetchval(_SQL["holder"], pid) if is_still else None
                    self.progress.held_by = {} if holder is None else {self.consumer.name: holder}
        finally:
            self.progress.held_by = {}

    async def _finish(self, writer: Writer, stop: asyncio.Event) -> None:
        """End at `stop`, between two transactions."""
        await stop.wait()
        await writer.finish()


class Host:
    """Runs `consumers` until a stop."""

    def __init__(
        self, consumers: Sequence[Consumer], settings: Settings, *, look_at_log_s: float = LOOK_AT_LOG_S
    ) -> None:
        self.settings = settings
        # Any of them may read the log's topic.
        self._feed = LogFeed(settings.acting_as(consumers[0].name))
        self._pipelines = {
            consumer.name: Pipeline(consumer, settings, self._feed, look_at_log_s=look_at_log_s)
            for consumer in consumers
        }
        self._ended: dict[str, str] = {}

    def readiness(self) -> Readiness:
        """Ready while every consumer is; the details are those of each one, by name."""
        return combined({name: self._readiness_of(name) for name in self._pipelines})

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        await until_one_ends(self._feed.run(), self._run_all(stop))

    def _readiness_of(self, name: str) -> Readiness:
        readiness = self._pipelines[name].readiness()
        if (reason := self._ended.get(name)) is None:
            return readiness
        return Readiness(False, {**readiness.details, "ended": reason}, readiness.healthy)

    async def _run_all(self, stop: asyncio.Event) -> None:
        await asyncio.gather(*(self._keep_running(pipeline.consumer, stop) for pipeline in self._pipelines.values()))

    async def _keep_running(self, consumer: Consumer, stop: asyncio.Event) -> None:
        wait_ms = self.settings.retry_wait_max_ms
        while not stop.is_set():
            reason = await self._end_of(consumer.name, stop)
            if reason is not None:
                self._ended[consumer.name] = reason
                log.error("a consumer ended; it starts again", consumer=consumer.name, how=reason, wait_ms=wait_ms)
                await pause(stop, wait_ms / 1000)
                self._pipelines[consumer.name] = Pipeline(consumer, self.settings, self._feed)
                del self._ended[consumer.name]

    async def _end_of(self, name: str, stop: asyncio.Event) -> str | None:
        """How a consumer ended; None at a stop."""
        try:
            await self._pipelines[name].run(stop)
        except SystemExit as end:  # its pipeline has logged the error
            return f"exit code {end.code}"
        except YesserError as error:
            return str(error)
        return None


def combined(consumers: Mapping[str, Readiness]) -> Readiness:
    """The readiness of a process with several consumers. `lag` is the greatest of theirs."""
    states = consumers.values()
    details = {
        "role": "active" if any(one.details["role"] == "active" for one in states) else "standby",
        "lag": max(one.details.get("lag", 0) for one in states),  # type: ignore[type-var]
        "consumers": {name: {"ready": one.ready, **one.details} for name, one in consumers.items()},
    }
    for what in ("rebuilding", "held_by"):
        if known := {name: said for one in states for name, said in one.details.get(what, {}).items()}:  # type: ignore[attr-defined]
            details[what] = known
    halts = {name: str(one.details["halted"]) for name, one in consumers.items() if "halted" in one.details}
    if halts:
        others = [f"{name}: {reason}" for name, reason in halts.items() if not is_older_copy(reason)]
        details["halted"] = "; ".join([*filter(is_older_copy, halts.values())][:1] + others)
    return Readiness(all(one.ready for one in states), details, all(one.healthy for one in states))
