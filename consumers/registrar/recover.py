"""`yesser recover`: a database that is older than the world brings its missing entries back, byte by byte.

Flows in: the entries beyond the database's size, from the topic of the log or from a mirror. They are believed only if
they give the root that was signed last. Then the agencies' topics are read again up to the same records, so that
ids, runs, duplicates, refusals and sequences are what they were; the entries themselves are taken, never made anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from consumers.registrar.batch import Batch, Reading, claims_of, number
from consumers.registrar.journal import LEASE, Fenced, Journal
from consumers.registrar.shipper import INDEX_HEADER
from consumers.registrar.signer import Fork, read_last_checkpoint, require_continuation
from consumers.registrar.undecodable import fetch_records
from events.entry import Entry, parse_entry
from events.refusal import REFUSED
from events.validation.validate import validate
from events.validation.verdicts import Agency
from infra import lease
from infra.kafka import agency_topic, client_arguments
from infra.kafka_ends import ends_of_existing
from infra.merkle import TileTree, leaf_hash
from infra.note import Checkpoint, load_or_create_key
from infra.outbox import PLATFORM
from infra.postgres import TRANSIENT_ERRORS, connect
from infra.settings import Settings
from infra.tasks import until_one_ends

CHUNK_ENTRIES = 4096
READ_TIMEOUT_S = 30.0

Source = Callable[[int], AsyncIterator[bytes]]
"""Gives the entries from an index on, in order, as far as the source holds them."""
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was brought back: the sizes before and after, and the root after."""

    size_before: int
    size: int
    root: bytes


class CannotRecover(Exception):
    """The source does not give what was signed; nothing was written."""


async def recover(settings: Settings, source: Source, progress: Progress) -> Recovered:
    """Bring the missing entries back and leave the log as its last owner knew it."""
    done: list[Recovered] = []

    async def work(journal: Journal) -> None:
        done.append(await _recover(journal, source, progress))

    try:
        async with _journal(settings) as journal:
            await until_one_ends(work(journal), _keep(journal))
    except Fenced as error:
        raise CannotRecover(f"{error}: a registrar has taken the log over; stop it, and recover again") from error
    return done[0]


async def _recover(journal: Journal, source: Source, progress: Progress) -> Recovered:
    settings, before = journal.settings, journal.size
    key = load_or_create_key(settings.log_folder, settings.log_origin)
    last = read_last_checkpoint(settings.log_folder, key)
    await _verify(journal, source, last, progress)
    async with _agency_records(settings) as records:
        async for raws in _chunks(source, before):
            await _write(journal, records, raws)
            progress("written", journal.size)
    async with journal.lock:
        await require_continuation(journal.connection, last, journal.size)
    return Recovered(before, journal.size, journal.tree.root())


async def _keep(journal: Journal) -> None:
    """Reading and verifying take longer than a lease lasts, and a halted registrar is waiting for it."""
    while True:
        await asyncio.sleep(journal.settings.lease_renew_ms / 1000)
        await journal.keep()


@asynccontextmanager
async def _journal(settings: Settings) -> AsyncIterator[Journal]:
    connection = await connect(settings, "recover", batch=True)
    try:
        epoch = None
        for _ in range(1 + 3 * settings.lease_ms // 100):
            epoch = await lease.claim(connection, LEASE, "recover", settings)
            if epoch is not None:
                break
            await asyncio.sleep(0.1)
        if epoch is None:
            raise CannotRecover("a registrar is at work; the log needs no recovery while it is (see `yesser status`)")
        try:
            journal = Journal(connection, epoch, settings)
            await journal.open()
            yield journal
        finally:
            with suppress(*TRANSIENT_ERRORS):
                await lease.release(connection, LEASE, epoch)
    finally:
        with suppress(*TRANSIENT_ERRORS):
            await connection.close(timeout=1)


async def _verify(journal: Journal, source: Source, last: Checkpoint | None, progress: Progress) -> None:
    """Read everything once, without writing, and compare with the signed root."""
    tree: TileTree = journal.tree.copy()
    if last is not None and last.size <= tree.size:
        try:
            async with journal.lock:
                await require_continuation(journal.connection, last, tree.size)
        except Fork as fork:
            raise CannotRecover(str(fork)) from fork
        return
    async for raws in _chunks(source, tree.size):
        leaves = [leaf_hash(raw) for raw in raws]
        if last is not None and tree.size < last.size <= tree.size + len(leaves):
            tree.append(leaves[: last.size - tree.size])
            if tree.root() != last.root:
                raise CannotRecover(
                    f"with the entries of this source the first {last.size} do not give the signed root: "
                    "nothing was written; try another source (`--from MIRROR`), or an older copy of the database"
                )
            return
        tree.append(leaves)
        progress("verified", tree.size)
    if last is not None:
        raise CannotRecover(
            f"a checkpoint of size {last.size} was signed, but the source holds entries up to {tree.size} only: "
            "nothing was written; try another source (`--from MIRROR`)"
        )


async def _chunks(source: Source, first: int) -> AsyncIterator[list[bytes]]:
    chunk: list[bytes] = []
    async for raw in source(first):
        chunk.append(raw)
        if len(chunk) == CHUNK_ENTRIES:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


async def _write(journal: Journal, records: AgencyRecords, raws: list[bytes]) -> None:
    """Commit a chunk; one transaction for each run of entries of one recorded time."""
    entries = [parse_entry(journal.size + i, raw) for i, raw in enumerate(raws)]
    start = 0
    for recorded, group in groupby(entries, key=lambda entry: entry.recorded):
        part = list(group)
        taken = raws[start : start + len(part)]
        batch = await _batch(journal, records, part, recorded)
        _require_same(batch, part, taken)
        batch.entries = taken
        start += len(part)
        await journal.commit(batch)


async def _batch(journal: Journal, records: AgencyRecords, entries: list[Entry], recorded: str) -> Batch:
    """What the registrar decided about the records of these entries and the duplicates between them."""
    agencies = {agency_topic(a.code): a for a in await journal.agencies()}
    agencies.setdefault(agency_topic(PLATFORM), Agency(PLATFORM, "platform"))
    positions = {topic: p.next_offset for topic, p in (await journal.positions()).items()}
    readings: list[Reading] = []
    for topic, group in groupby(entries, key=_topic):
        agency = agencies.get(topic)
        if agency is None:
            raise CannotRecover(f"entry {entries[0].index} or one behind it is of {topic}, which no agency registered")
        if topic not in positions:
            await journal.start_topic(topic)
        end = int([e.address for e in group][-1].rpartition("/")[2]) + 1
        found = await records.read(topic, positions.get(topic, 0), end)
        positions[topic] = end
        readings.append(Reading(topic, agency, found, [validate(r.value, r.headers, agency) for r in found]))
    known = await journal.known(claims_of(readings))
    return number(readings, known, entries[0].index, recorded)


def _require_same(batch: Batch, entries: list[Entry], raws: list[bytes]) -> None:
    """What the agencies' topics say must be what the entries say; only the wording of a refusal may have changed."""
    first = entries[0].index
    if len(batch.entries) != len(entries):
        raise CannotRecover(
            f"the records of entries {first} … {entries[-1].index} give {len(batch.entries)} verdicts with an index "
            f"instead of {len(entries)}: recover with the version of the software that wrote them"
        )
    refused = {refusal.index for refusal in batch.refusals}
    for entry, made, taken in zip(entries, batch.entries, raws, strict=True):
        same = entry.type == REFUSED if entry.index in refused else made == taken
        if not same:
            raise CannotRecover(
                f"entry {entry.index} is not what {entry.address} says: the log is recovered up to {first} only; "
                "try another source (`--from MIRROR`)"
            )


def _topic(entry: Entry) -> str:
    return entry.address.split("/", 1)[0]


class AgencyRecords:
    """Records of agency topics by offset range; what a fetch brings beyond the range is kept for the next one."""

    def __init__(self, consumer: AIOKafkaConsumer, bytes_max: int) -> None:
        self._consumer = consumer
        self._bytes_max = bytes_max
        self._ahead: dict[str, list[Any]] = {}

    async def read(self, topic: str, first: int, end: int) -> list[Any]:
        """The records `first … end - 1`; raises `CannotRecover` when the topic no longer holds them."""
        ahead = [record for record in self._ahead.pop(topic, []) if record.offset >= first]
        if not ahead or ahead[-1].offset < end - 1:
            ahead += await self._fetch(topic, ahead[-1].offset + 1 if ahead else first, end)
        found = [record for record in ahead if record.offset < end]
        self._ahead[topic] = ahead[len(found) :]
        return found

    async def _fetch(self, topic: str, first: int, end: int) -> list[Any]:
        consumer, partition = self._consumer, TopicPartition(topic, 0)
        available = (await ends_of_existing(consumer, [topic])).get(topic)
        if available is None:
            raise CannotRecover(f"{topic} does not exist any more, but entries name offset {end - 1}")
        consumer.assign([partition])
        if available < end:
            raise CannotRecover(f"{topic} ends at offset {available}, but entries name offset {end - 1}")
        consumer.seek(partition, first)
        found: list[Any] = []
        async with asyncio.timeout(READ_TIMEOUT_S):
            while first < end:
                try:
                    batch = await consumer.getmany(partition, timeout_ms=1000, max_records=CHUNK_ENTRIES)
                    records = batch.get(partition, [])
                except UnicodeDecodeError:
                    records = await fetch_records(consumer, partition, first, self._bytes_max)
                    if records:
                        consumer.seek(partition, records[-1].offset + 1)
                except OffsetOutOfRangeError as error:
                    raise CannotRecover(f"{topic} no longer holds offset {first}") from error
                found += records
                first = found[-1].offset + 1 if found else first
        return found


@asynccontextmanager
async def _agency_records(settings: Settings) -> AsyncIterator[AgencyRecords]:
    consumer = AIOKafkaConsumer(**client_arguments(settings), enable_auto_commit=False, auto_offset_reset="none")
    try:
        await consumer.start()
        yield AgencyRecords(consumer, settings.fetch_bytes_max)
    finally:
        await consumer.stop()


def topic_source(settings: Settings) -> Source:
    """Entries from the log's topic. A repeat only adds records, so index i never stands before offset i."""

    async def entries(first: int) -> AsyncIterator[bytes]:
        partition = TopicPartition(settings.log_topic, 0)
        consumer = AIOKafkaConsumer(**client_arguments(settings), enable_auto_commit=False, auto_offset_reset="none")
        try:
            await consumer.start()
            end = (await ends_of_existing(consumer, [partition.topic])).get(partition.topic, 0)
            if end <= first:
                return
            consumer.assign([partition])
            consumer.seek(partition, first)
            expected = first
            while await consumer.position(partition) < end:
                found = await consumer.getmany(partition, timeout_ms=1000, max_records=CHUNK_ENTRIES)
                for record in found.get(partition, []):
                    index = int(dict(record.headers)[INDEX_HEADER])
                    if index > expected:
                        raise CannotRecover(
                            f"{settings.log_topic} lacks index {expected} (offset {record.offset} holds {index}): "
                            "nothing was written; try `--from MIRROR`"
                        )
                    if index == expected:
                        expected += 1
                        yield record.value
        finally:
            await consumer.stop()

    return entries
