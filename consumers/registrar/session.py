"""One epoch of the registrar, from taking over to its first error: it reads, registers, ships and signs.

Records are read and validated while the batch before them is being committed; what is committed is shipped, the tree is
signed. After a stop, it finishes the commit under way, ships and signs what the log holds, and ends.

Agencies take turns by what their records cost, and a batch ends after a cost, not a number of records: no agency's
records keep the others' waiting (docs/decisions/agencies-take-turns-by-cost.md).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import structlog

from consumers.registrar.backlog import TURN_S, BatchSize, Clocks, NextBatch, Turns
from consumers.registrar.batch import Batch, Reading, claims_of, number
from consumers.registrar.guards.clocks import ClockCheck
from consumers.registrar.guards.continuation import CheckpointTopic, Fork
from consumers.registrar.journal import GENESIS_ENTRIES, LEASE, Journal, ReadPosition
from consumers.registrar.pauses import Pauses
from consumers.registrar.reader import Reader
from consumers.registrar.shipper import Shipment, Shipper, read_tail
from consumers.registrar.signer import Signer
from consumers.registrar.topics.texts_topic import no_text, text_record
from events.faults.problems import CONFLICT
from events.validation.verdicts import Accepted, Agency
from events.wire.entry import recorded_time
from infra.clock import Clock
from infra.errors import older_copy
from infra.kafka.client_config import agency_topic
from infra.kafka.clients import producing, require_running, start_client, stop_consumer
from infra.log.authority import REGISTERED
from infra.log.unsigned import Unsigned
from infra.observability.telemetry import carried_traces, count, gauge, observe, span, trace_header
from infra.postgres.outbox import PLATFORM
from infra.private_keys.key_files import KeyRing
from infra.process.health import Progress
from infra.process.tasks import TimeSlice, until_one_ends
from infra.settings import Settings

_PLATFORM_TOPIC: Final = agency_topic(PLATFORM)
CLOCKS: Final = Clocks(time.perf_counter, time.thread_time)
SHIP_AT_STOP_S: Final = 2.0
"""Longest wait at a stop for the log's topic to acknowledge; what is left is shipped by the next owner."""
SIGN_AT_STOP_S: Final = 3.0
"""Longest wait for the last checkpoint, which the next owner signs otherwise."""

log = structlog.get_logger()


class RegistrarSession:
    """What one epoch does. On any error it is thrown away, and the next owner begins from the database."""

    def __init__(self, journal: Journal, keys: KeyRing, settings: Settings, clock: Clock, progress: Progress) -> None:
        self.journal = journal
        self.settings = settings
        self.clock = clock
        self.progress = progress
        self.keys = keys
        self.shipper = Shipper(journal, settings)
        self.clocks = ClockCheck(clock, time.monotonic, settings.clock_difference_max_s)
        self.signer: Signer
        self.pauses = Pauses(settings, clock, progress)
        self.reader: Reader
        self.agencies: dict[str, Agency] = {}
        self._turns = Turns()
        self._next = NextBatch(settings.batch_records_max)
        self._batch_size = BatchSize()
        self._reading: asyncio.Task[object] | None = None
        self._committing: asyncio.Task[None] | None = None
        self._halted: set[str] = set()
        self._is_adopted = False
        self._read_others = False
        self._took_over = False
        self._unsigned = Unsigned()

    async def work(self, stop: asyncio.Event, taken_over: Callable[[], None]) -> None:
        """Take over (and say so), then work until `stop` or an error."""
        await self.journal.open()
        gauge("log_size", self.journal.size)
        gauge("shipped_up_to", self.journal.shipped_up_to)
        await self._require_clocks()
        noting = self._every(self.settings.lease_renew_ms, self.journal.note_shipped)
        await until_one_ends(noting, self._read_and_register(stop, taken_over), self._stop_before_taking_over(stop))

    async def _stop_before_taking_over(self, stop: asyncio.Event) -> None:
        """Return at a stop that comes while Kafka does not answer. After the take-over, registering ends by itself."""
        await stop.wait()
        if self._took_over:
            await asyncio.Event().wait()

    async def _require_clocks(self) -> None:
        began = self.clock()
        now = await self.journal.database_time()
        self.clocks.require_database(began, now)
        self.clocks.require_past(self.journal.recorded, now)

    async def _read_and_register(self, stop: asyncio.Event, taken_over: Callable[[], None]) -> None:
        self.reader = Reader(self.settings)
        try:
            await start_client(self.reader.consumer)
            async with producing(self.settings) as producer:
                checkpoints = CheckpointTopic(self.settings, self.reader.consumer, producer)
                self.signer = Signer(self.journal, self.keys, self.settings, checkpoints, self.clocks)
                last_index, _ = await read_tail(self.settings)
                if last_index >= self.journal.size:
                    raise Fork(older_copy(f"{self.settings.log_topic} holds index {last_index}", self.journal.size))
                await self.signer.take_over()
                await self.journal.note_verified()
                await self._assign()
                await self._look_around()
                self._took_over = True
                taken_over()
                await until_one_ends(
                    self._register_and_finish(stop),
                    self.shipper.run(),
                    self._every(self.settings.checkpoint_interval_ms, self.signer.sign),
                    self._every(self.settings.agencies_poll_ms, self._look_around),
                )
        finally:
            await stop_consumer(self.reader.consumer)

    async def _assign(self) -> None:
        """Read the topics of all registered agencies that are not halted."""
        if not self._is_adopted and await self.journal.adopt_catalogue():
            log.info("the catalogue of this release is announced", size=self.journal.size)
        self._is_adopted = len(self.journal.authority.agencies) >= GENESIS_ENTRIES
        registered = self.journal.authority.agencies
        self.agencies = {agency_topic(code): Agency(code, row.role) for code, row in registered.items()}
        if not self.agencies:
            # Before entry 0 only the platform itself can have said anything.
            self.agencies = {agency_topic(PLATFORM): Agency(PLATFORM, "platform")}
        positions = await self.journal.positions()
        for topic in self.agencies.keys() - positions.keys():
            await self.journal.start_topic(topic)
            log.info("reading a new topic", topic=topic)
        positions = await self.journal.positions()
        self._halted = {t for t, p in positions.items() if p.halted_reason is not None}
        gauge("topics_halted", len(self._halted))
        read = {t: positions[t] for t in self.agencies if t not in self._halted}
        await self.reader.assign(read)
        self.pauses.take_up(read, self.reader)

    async def _look_around(self) -> None:
        """Notice changed rows, topics that an operator released, lost topics, and how far there is to read."""
        require_running(self.reader.consumer)
        positions = await self.journal.positions()
        released = any(positions[t].halted_reason is None for t in self._halted & positions.keys())
        if released or await self.reader.awaited_topics_answer():
            self._read_others = True
        if unpause_topic := self.pauses.unpause_topic(positions, self.reader):
            await self.journal.resume_topics(unpause_topic)
        ends = await self.reader.check_topics()
        await self.reader.check_silent_topics(ends)
        read = sum(self.reader.next_offsets.values())
        self.progress.alarm = "; ".join(filter(None, await self._alarms(positions))) or None
        self.progress.look(read - len(self.reader.backlog), read + self.reader.count_ahead(ends))
        await self.shipper.check_end(self.reader.consumer)

    async def _alarms(self, positions: Mapping[str, ReadPosition]) -> list[str | None]:
        """What an operator must look at while the log goes on."""
        signed = self.signer.newest.size if self.signer.newest else 0
        halted = [f"{topic} is halted: {p.halted_reason}" for topic, p in sorted(positions.items()) if p.halted_reason]
        # It works by the log, not by the tables: a row changed now is an alarm, and halts the next take-over.
        changed = await self.journal.changed_row()
        return [
            str(changed) if changed else await self.journal.alarm(),
            self.signer.keys.fault(self.clock()),
            self._unsigned.look(self.journal.size, signed, time.monotonic()),
            *halted,
        ]

    async def _register_and_finish(self, stop: asyncio.Event) -> None:
        """Register until `stop`; then ship and sign what was committed."""
        await self._register(stop)
        with suppress(TimeoutError):
            async with asyncio.timeout(SHIP_AT_STOP_S):
                await self.shipper.all_shipped()
        await self.journal.note_shipped()
        with suppress(TimeoutError):
            async with asyncio.timeout(SIGN_AT_STOP_S):
                await self.signer.sign_when_due()
        await self.journal.close()

    async def _register(self, stop: asyncio.Event) -> None:
        try:
            while not stop.is_set():
                await self._finish_tasks()
                self.pauses.probe_due(self.reader)
                if self._reading is None:
                    self._reading = asyncio.create_task(self.reader.read())
                if self._committing is None and self._next.is_due(self.reader.backlog):
                    self._committing = asyncio.create_task(self._commit(self._next.take(self.reader.backlog)))
                if topic := self._next_topic():
                    over_s = self._next.take_turn(topic, self.reader.backlog, self._turns, self.agencies, CLOCKS)
                    # Before the next turn: what is behind a record without a verdict is not judged.
                    self._read_others |= self._next.readings[topic].fault is not None
                    # After a record that cost more than its turn, the commit under way takes as long for its steps.
                    await asyncio.sleep(over_s if over_s > TURN_S else 0)
                else:
                    await asyncio.wait(self._tasks(), return_when=asyncio.FIRST_COMPLETED)
            if self._committing:
                await self._committing
        finally:
            for task in self._tasks():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

    def _next_topic(self) -> str | None:
        """The topic that takes the next turn; None if nothing waits, or the batch has no room for it."""
        waiting = self.reader.backlog.topics
        # What the platform decides comes in all the time, and may wait for a large batch.
        self._next.cost_max_s = self._batch_size.cost_max_s(waiting - {_PLATFORM_TOPIC}, time.monotonic())
        if not waiting:
            return None
        topic = self._turns.next(waiting)
        return topic if self._next.has_room(topic) else None

    def _tasks(self) -> list[asyncio.Task[Any]]:
        return [task for task in (self._reading, self._committing) if task is not None]

    async def _finish_tasks(self) -> None:
        """Take up what has ended, with its error. Before other topics are read, wait for both tasks."""
        if self._reading and (self._reading.done() or self._read_others):
            await self._reading
            self._reading = None
        if self._committing and (self._committing.done() or self._read_others):
            await self._committing
            self._committing = None
        if self._read_others:
            while self._next.has_fault:
                await self._commit(self._next.take(self.reader.backlog))
            self._read_others = False
            await self._assign()

    async def _commit(self, readings: list[Reading]) -> None:
        received = (
            (record.headers, verdict.event if isinstance(verdict, Accepted) else None)
            for reading in readings
            for record, verdict in zip(reading.records, reading.verdicts, strict=True)
        )
        began = time.monotonic()
        with span("register", carried_traces(received), process=LEASE, records=sum(len(r.records) for r in readings)):
            await self._commit_traced(readings)
        observe("batch_seconds", time.monotonic() - began, process=LEASE)

    async def _commit_traced(self, readings: list[Reading]) -> None:
        known = await self.journal.known(claims_of(readings))
        now = self.clocks.now()
        batch = Batch(self.journal.size, max(self.journal.recorded, recorded_time(now)), kept=known.texts)
        time_slice = TimeSlice()
        for _ in number(batch, readings, known.claims, self.pauses.breakers, now):
            await time_slice.checkpoint()
        # Before anything is awaited: no record behind the last that is registered now may be.
        for topic in self.pauses.apply(batch.breakers, readings, self.reader):
            self._next.drop(topic)
        for reading in readings:
            if reading.fault is not None:
                self.reader.hold(reading.topic, reading.records[-1] if reading.records else None)
                self.reader.backlog.drop(reading.topic)
                self._next.drop(reading.topic)
        leaves = await self.journal.commit(batch, lambda database: self.clocks.require_batch(now, database))
        if batch.entries:
            keys = [subject.encode() for subject in batch.subjects]
            texts = [text_record(index, text) for index, text in batch.texts]
            deletions = [(by_index, no_text(index, member)) for index, member, by_index in batch.withheld]
            self.shipper.offer(
                Shipment(batch.first_index, batch.entries, leaves, keys, trace_header(), texts, deletions)
            )
        for topic, reason in batch.halts.items():
            log.error("a topic is halted, the others go on", topic=topic, reason=reason)
        if batch.halts or any(change.type == REGISTERED for change in batch.authority):
            self._read_others = True
        self._count(readings, batch)

    def _count(self, readings: Sequence[Reading], batch: Batch) -> None:
        dropped = Counter(topic for topic, _, _ in batch.duplicates)
        refused = Counter(refusal.agency for refusal in batch.refusals)
        for reading in readings:
            code, again = reading.agency.code, dropped[reading.topic]
            count("events_duplicate", again, agency=code)
            count("events_registered", max(0, len(reading.records) - again - refused[code]), agency=code)
        for refusal in batch.refusals:
            code = refusal.errors[0]["code"]
            count("events_refused", agency=refusal.agency, code=code)
            if code == CONFLICT.code:
                count("events_conflicting", agency=refusal.agency)
            if refusal.agency == PLATFORM:
                # The platform decided something that validation refuses: a bug. The next look alarms.
                log.error("the platform's own event was refused", index=refusal.index, code=code)
        observe("batch_records", sum(len(r.records) for r in readings), process=LEASE)
        gauge("log_size", self.journal.size)

    async def _every(self, interval_ms: int, job: Callable[[], Awaitable[object]]) -> None:
        while True:
            await asyncio.sleep(interval_ms / 1000)
            await job()
