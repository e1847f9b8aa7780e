"""`yesser recover`: a database that is older than the world brings its missing entries back, byte by byte.

Flows in: the entries beyond the database's size, from the topic of the log or from a mirror. They are believed only if
they give the root that was signed last. Then the agencies' topics are read again up to the same records, so that
ids, runs, duplicates, refusals and sequences are what they were; the entries themselves are taken, never made anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from consumers.registrar.batch import Batch, Reading, merge_known, number
from consumers.registrar.journal import LEASE, Journal
from consumers.registrar.shipper import INDEX_HEADER
from consumers.registrar.signer import Fork, read_last_checkpoint, require_continuation
from events.door import judge
from events.entry import Entry, parse_entry
from events.verdicts import Accepted, Agency
from infra import lease
from infra.kafka import agency_topic, client_arguments
from infra.merkle import TileTree, leaf_hash
from infra.note import Checkpoint, load_or_create_key
from infra.outbox import PLATFORM
from infra.postgres import connect
from infra.settings import Settings
from infra.sql import queries

CHUNK_ENTRIES = 4096
READ_TIMEOUT_S = 30.0
_SQL = queries("consumers.registrar", "registrar.sql")

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
    async with _journal(settings) as journal:
        before = journal.size
        key = load_or_create_key(settings.log_folder, settings.log_origin)
        last = read_last_checkpoint(settings.log_folder, key)
        await _verify(journal, source, last, progress)
        async with _agency_records(settings) as records:
            async for raws in _chunks(source, before):
                await _write(journal, records, raws)
                progress("written", journal.size)
        await require_continuation(journal.connection, last, journal.size)
        return Recovered(before, journal.size, journal.tree.root())


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
        keeping = asyncio.create_task(_keep_lease(settings, epoch))
        try:
            journal = Journal(connection, epoch, settings)
            await journal.open()
            yield journal
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await lease.release(connection, LEASE, epoch)
    finally:
        await connection.close()


async def _keep_lease(settings: Settings, epoch: int) -> None:
    """Verifying a long log takes longer than a lease lasts: a registrar that looks again must not get it meanwhile."""
    keeper = await connect(settings, "recover lease")
    try:
        while True:
            await asyncio.sleep(settings.lease_renew_ms / 1000)
            if not await lease.renew(keeper, LEASE, epoch, settings):
                return
    finally:
        await keeper.close()


async def _verify(journal: Journal, source: Source, last: Checkpoint | None, progress: Progress) -> None:
    """Read everything once, without writing, and compare with the signed root."""
    tree: TileTree = journal.tree.copy()
    if last is not None and last.size <= tree.size:
        try:
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
        batch = await _batch(journal, records, part, recorded)
        batch.entries = raws[start : start + len(part)]
        start += len(part)
        await journal.commit(batch)


async def _batch(journal: Journal, records: AgencyRecords, entries: list[Entry], recorded: str) -> Batch:
    """What the registrar decided about the records of these entries and the duplicates between them."""
    agencies = {agency_topic(a.code): a for a in await journal.agencies()}
    agencies.setdefault(agency_topic(PLATFORM), Agency(PLATFORM, "platform"))
    for topic in {_topic(e) for e in entries}:
        await journal.start_topic(topic)
    positions = {topic: p.next_offset for topic, p in (await journal.positions()).items()}
    readings: list[Reading] = []
    for topic, group in groupby(entries, key=_topic):
        end = int([e.address for e in group][-1].rpartition("/")[2]) + 1
        found = await records.read(topic, positions[topic], end)
        positions[topic] = end
        agency = agencies[topic]
        readings.append(Reading(topic, agency, found, [judge(r.value, r.headers, agency) for r in found]))
    claims = [v.claim for r in readings for v in r.verdicts if isinstance(v, Accepted)]
    known = merge_known(await journal.connection.fetch(_SQL["known"], claims))
    batch = number(readings, known, entries[0].index, recorded)
    if len(batch.entries) != len(entries):
        raise CannotRecover(
            f"the records of entries {entries[0].index} … {entries[-1].index} give {len(batch.entries)} verdicts with "
            f"an index instead of {len(entries)}: recover with the version of the software that wrote them"
        )
    return batch


def _topic(entry: Entry) -> str:
    return entry.address.split("/", 1)[0]


class AgencyRecords:
    """Records of agency topics by offset range."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def read(self, topic: str, first: int, end: int) -> list[Any]:
        """The records `first … end - 1`; raises `CannotRecover` when the topic no longer holds them."""
        partition = TopicPartition(topic, 0)
        self._consumer.assign([partition])
        available = (await self._consumer.end_offsets([partition]))[partition]
        if available < end:
            raise CannotRecover(f"{topic} ends at offset {available}, but entries name offset {end - 1}")
        self._consumer.seek(partition, first)
        found: list[Any] = []
        while first < end:
            batch = await asyncio.wait_for(self._consumer.getmany(partition, timeout_ms=1000), READ_TIMEOUT_S)
            for record in batch.get(partition, []):
                if record.offset < end:
                    found.append(record)
                first = record.offset + 1
        return found


@asynccontextmanager
async def _agency_records(settings: Settings) -> AsyncIterator[AgencyRecords]:
    consumer = AIOKafkaConsumer(**client_arguments(settings), enable_auto_commit=False, auto_offset_reset="none")
    await consumer.start()
    try:
        yield AgencyRecords(consumer)
    finally:
        await consumer.stop()


def topic_source(settings: Settings) -> Source:
    """Entries from the log's topic. A repeat only adds records, so index i never stands before offset i."""

    async def entries(first: int) -> AsyncIterator[bytes]:
        partition = TopicPartition(settings.log_topic, 0)
        consumer = AIOKafkaConsumer(**client_arguments(settings), enable_auto_commit=False, auto_offset_reset="none")
        await consumer.start()
        try:
            consumer.assign([partition])
            end = (await consumer.end_offsets([partition]))[partition]
            if end <= first:
                return
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
