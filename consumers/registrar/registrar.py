"""The registrar: the only writer of the national log.

It waits for the lease, takes over from what the database says, and works until an error or a stop: records are read and
judged while the batch before them is being committed, committed entries are shipped, the tree is signed. Whatever goes
wrong ends the owner; the next one starts from the database, so that there is one way to begin and no way to repair.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import structlog
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from consumers.registrar.batch import Batch, Reading, number
from consumers.registrar.journal import LEASE, Diverged, Fenced, Journal
from consumers.registrar.reader import Reader, TopicBroken
from consumers.registrar.shipper import Behind, Shipment, Shipper, read_tail
from consumers.registrar.signer import Fork, Signer, read_last_checkpoint, require_continuation
from events.door import judge
from events.entry import recorded_time
from events.problems import CONFLICT
from events.verdicts import Accepted, Agency, Refused
from infra import lease
from infra.health import Progress, Readiness
from infra.kafka import agency_topic
from infra.kafka_admin import LOG_TOPIC_CONFIG, admin_client, ensure_topic
from infra.logs import SaidOnce
from infra.note import LogKey, load_or_create_key
from infra.outbox import PLATFORM
from infra.postgres import TRANSIENT_ERRORS, connect
from infra.settings import Settings
from infra.telemetry import carried_traces, count, gauge, observe, span, trace_header

Clock = Callable[[], datetime]
DECODE_SLICE_RECORDS: Final = 256
HALT_LOOK_AGAIN_S: Final = 2.0

log = structlog.get_logger()


class Owner:
    """One epoch of the registrar, from taking over to its first error."""

    def __init__(self, journal: Journal, key: LogKey, settings: Settings, clock: Clock, progress: Progress) -> None:
        self.journal = journal
        self.settings = settings
        self.clock = clock
        self.progress = progress
        self.key = key
        self.reader = Reader(settings)
        self.shipper = Shipper(journal, settings)
        self.agencies: dict[str, Agency] = {}
        self.ready = False
        self._new_agencies = False

    async def work(self, stop: asyncio.Event) -> None:
        """Take over, then read, register, ship and sign until `stop` or an error."""
        await self.journal.open()
        gauge("log_size", self.journal.size)
        gauge("shipped_up_to", self.journal.shipped_up_to)
        last = read_last_checkpoint(self.settings.log_folder, self.key)
        await require_continuation(self.journal.connection, last, self.journal.size)
        await self.reader.consumer.start()
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._require_topic_within_tree()
            await self._assign()
            signer = Signer(self.journal, self.key, self.settings.log_folder, last.size if last else None)
            jobs: list[Coroutine[Any, Any, None]] = [
                self._register(stop),
                self.shipper.run(),
                self._every(self.settings.checkpoint_interval_ms, signer.sign),
                self._every(self.settings.lease_renew_ms, self.journal.keep),
                self._every(self.settings.agencies_poll_ms, self._look_around),
            ]
            tasks = [asyncio.create_task(job) for job in jobs]
            self.ready = True
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            await signer.sign()
        finally:
            self.ready = False
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.reader.consumer.stop()

    async def _require_topic_within_tree(self) -> None:
        last_index, _ = await read_tail(self.settings)
        if last_index >= self.journal.size:
            raise Fork(
                f"{self.settings.log_topic} holds index {last_index}, but the database holds {self.journal.size} "
                "entries only (an older copy?); run `yesser recover`"
            )

    async def _assign(self) -> None:
        """Read the topics of all registered agencies that are not halted."""
        self.agencies = {agency_topic(a.code): a for a in await self.journal.agencies()}
        if not self.agencies:
            # Before entry 0 only the platform itself can have said anything.
            self.agencies = {agency_topic(PLATFORM): Agency(PLATFORM, "platform")}
        positions = await self.journal.positions()
        for topic in self.agencies.keys() - positions.keys():
            await self.journal.start_topic(topic)
            log.info("reading a new topic", topic=topic)
        positions = await self.journal.positions()
        halted = {t for t, p in positions.items() if p.halted_reason is not None}
        gauge("topics_halted", len(halted))
        await self.reader.assign({t: positions[t] for t in self.agencies if t not in halted})

    async def _look_around(self) -> None:
        known = {agency_topic(a.code) for a in await self.journal.agencies()}
        if known and known != self.agencies.keys():
            self._new_agencies = True
        ends = await self.reader.check_ends()
        read = sum(self.reader.next_offsets.values())
        self.progress.look(read, max(read, sum(ends.values())))
        partition = self.shipper.partition
        end = (await self.reader.consumer.end_offsets([partition]))[partition]
        await self.shipper.check_end(end)

    async def _register(self, stop: asyncio.Event) -> None:
        committing: asyncio.Task[None] | None = None
        try:
            while not stop.is_set():
                if self._new_agencies:
                    if committing:
                        await committing
                    self._new_agencies = False
                    await self._assign()
                found = await self.reader.read()
                readings = [await self._judge(topic, records) for topic, records in found.items()]
                if committing and (readings or committing.done()):
                    await committing
                    committing = None
                if readings:
                    committing = asyncio.create_task(self._commit(readings))
            if committing:
                await committing
        finally:
            if committing:
                committing.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await committing

    async def _judge(self, topic: str, records: Any) -> Reading:
        """The door's verdicts, in slices, so that the commit under way goes on meanwhile."""
        agency = self.agencies[topic]
        verdicts: list[Accepted | Refused] = []
        for start in range(0, len(records), DECODE_SLICE_RECORDS):
            part = records[start : start + DECODE_SLICE_RECORDS]
            verdicts += [judge(record.value, record.headers, agency) for record in part]
            await asyncio.sleep(0)
        return Reading(topic, agency, records, verdicts)

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
        claims = [v.claim for r in readings for v in r.verdicts if isinstance(v, Accepted)]
        known = await self.journal.known(claims) if claims else {}
        recorded = max(self.journal.recorded, recorded_time(self.clock()))
        batch = number(readings, known, self.journal.size, recorded)
        leaves = await self.journal.commit(batch)
        if batch.entries:
            keys = [subject.encode() for subject in batch.subjects]
            self.shipper.offer(Shipment(batch.first_index, batch.entries, leaves, keys, trace_header()))
        if batch.agencies:
            self._new_agencies = True
        self._count(readings, batch)

    def _count(self, readings: list[Reading], batch: Batch) -> None:
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
                # The platform decided something that its own door refuses: a bug, whoever looks must see it.
                self.progress.halted = f"the platform's own event was refused at index {refusal.index} ({code})"
                log.error("the platform's own event was refused", index=refusal.index, code=code)
        observe("batch_records", sum(len(r.records) for r in readings), process=LEASE)
        gauge("log_size", self.journal.size)

    async def _every(self, interval_ms: int, job: Callable[[], Awaitable[object]]) -> None:
        while True:
            await asyncio.sleep(interval_ms / 1000)
            await job()


class Registrar:
    """Stands by for the lease, and works while it has it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.name = f"{socket.gethostname()}-{uuid4().hex[:8]}"
        self.owner: Owner | None = None
        self.halted: str | None = None
        self.standing_by = False
        self.progress = Progress(time.monotonic)
        self._halt = SaidOnce("the registrar halted and signs nothing", "the registrar no longer halts")
        self._wait = SaidOnce("the registrar waits and starts again", "the registrar goes on")

    def readiness(self) -> Readiness:
        """Ready while it registers or stands by; not while it halts, nor after it refused the platform's own event."""
        self.progress.standby = self.standing_by
        if self.halted is not None:
            self.progress.halted = self.halted
        return self.progress.readiness()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Errors that pass by themselves wait, a halt is looked at again; both are said once."""
        key = load_or_create_key(Path(self.settings.log_folder), self.settings.log_origin)
        wait_ms = self.settings.retry_wait_min_ms
        while not stop.is_set():
            try:
                worked = await self._own(key, stop)
                wait_ms = self.settings.retry_wait_min_ms
                if not worked:
                    await _pause(stop, self.settings.lease_renew_ms / 1000)
            except Fenced as error:
                count("fenced_writers", process=LEASE)
                log.warning("another registrar took over: standing by", reason=str(error))
            except (Fork, Diverged) as error:
                self.halted = str(error)
                self._halt.begins(error)
                await _pause(stop, HALT_LOOK_AGAIN_S)
            except (*TRANSIENT_ERRORS, KafkaError, Behind) as error:
                self._wait.begins(error)
                count("retries", process=LEASE)
                await self._mend(error)
                await _pause(stop, wait_ms / 1000)
                wait_ms = min(2 * wait_ms, self.settings.retry_wait_max_ms)

    async def _own(self, key: LogKey, stop: asyncio.Event) -> bool:
        """Work if the lease is free; False when another registrar has it."""
        connection = await connect(self.settings, "registrar")
        try:
            epoch = await lease.claim(connection, LEASE, self.name, self.settings)
            self.standing_by = epoch is None
            if epoch is None:
                return False
            journal = Journal(connection, epoch, self.settings)
            self.owner = Owner(journal, key, self.settings, self.clock, self.progress)
            try:
                work = asyncio.create_task(self.owner.work(stop))
                await self._watch(work)
                await work
            except TopicBroken as broken:
                for topic, reason in broken.faults.items():
                    log.error("a topic is halted, the others go on", topic=topic, reason=reason)
                    await journal.halt_topic(topic, reason)
            finally:
                with suppress(*TRANSIENT_ERRORS):
                    await lease.release(connection, LEASE, epoch)
            return True
        finally:
            self.owner = None
            with suppress(*TRANSIENT_ERRORS):
                await connection.close(timeout=1)

    async def _watch(self, work: asyncio.Task[None]) -> None:
        """Take back what was said of a halt or a wait as soon as the owner works."""
        while not work.done():
            await asyncio.sleep(0.05)
            if self.owner is not None and self.owner.ready:
                if self.halted is not None:
                    self.halted = self.progress.halted = None
                self._halt.ends()
                self._wait.ends()
                log.info("registering", size=self.owner.journal.size, epoch=self.owner.journal.epoch)
                return

    async def _mend(self, error: Exception) -> None:
        """The one thing that is re-made rather than waited for: the log's own topic."""
        if isinstance(error, UnknownTopicOrPartitionError):
            with suppress(KafkaError):
                async with admin_client(self.settings, "platform") as admin:
                    await ensure_topic(
                        admin,
                        self.settings.log_topic,
                        LOG_TOPIC_CONFIG,
                        replication=self.settings.kafka_replication_factor,
                    )


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
