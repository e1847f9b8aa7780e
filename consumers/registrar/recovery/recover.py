"""`yesser recover`: recovers the entries that a restored database lacks, byte for byte.

Flows in: the entries beyond the database's size, from the log's topic or a mirror. They are trusted because they give
the last signed root; verdicts, ids and positions come from them (`restored.py`). The agencies' topics add the rest:
missing records are reported, and a topic without its last record is halted. Entries after the last signed root are
trusted only if the agencies' topics confirm them, or an operator does.

Each transaction leaves the log consistent, so that an interrupted recovery can be run again.

The sources of a recovery: the log's topic, any other ordered source of entries, and several together.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final
from uuid import uuid4

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from consumers.registrar.batch import Batch, Withheld
from consumers.registrar.guards.continuation import (
    Fork,
    checkpoints_of,
    newest,
    read_last_checkpoint,
    read_topic_checkpoints,
    require_continuation,
    signed_trees,
    stored_transitions,
)
from consumers.registrar.journal import LEASE, Diverged, Journal
from consumers.registrar.recovery.agency_records import AgencyRecords, agency_records
from consumers.registrar.recovery.restored import Gap, Held, Lacking, Part, Restored, address_of
from consumers.registrar.recovery.texts import FolderTexts, RecoveredTexts, found_texts
from consumers.registrar.shipper import INDEX_HEADER
from events.errors import Fenced, Halt, YesserError
from events.validation.verdicts import Agency
from events.wire.entry import Entry, parse_entry
from events.wire.texts import TEXT_WITHHELD
from infra.kafka.client_config import agency_topic
from infra.kafka.clients import consuming
from infra.kafka.end_offsets import ends_of_existing
from infra.keys.second_person import Permit
from infra.log.authority import REGISTERED
from infra.log.key_history import KeyHistory
from infra.log.merkle import TileTree, leaf_hash
from infra.log.ports.bundle_texts import Withholdings
from infra.log.reader import read_checked
from infra.log.refusals.kept import refused_with
from infra.log.signed_note import Checkpoint
from infra.postgres.connection import TRANSIENT_ERRORS, connect, connected, limit_idle
from infra.postgres.outbox import PLATFORM
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail
from infra.postgres.verdicts import Known
from infra.private_keys.key_files import load_keys, log_key_files
from infra.process import lease
from infra.process.leader_election import renewing
from infra.process.lease import LeaseSpec
from infra.process.tasks import until_one_ends
from infra.settings import Settings

CHUNK_ENTRIES: Final = 4096

Source = Callable[[int], AsyncIterator[bytes]]
"""The entries from an index on, in order, up to the first that the source does not have."""
OWNER = "recover"
_SQL = queries("consumers.registrar", "registrar.sql")

Progress = Callable[[str, int], None]


class CannotRecover(YesserError):
    """The log cannot be recovered from these sources, or not now; the message says how far it was."""


class WrongEntries(CannotRecover):
    """The entries of the sources do not give the signed root: one of them holds others than were signed."""


def together(sources: Sequence[Source]) -> Source:
    """One source of several: each entry comes from the first that has it."""

    async def entries(first: int) -> AsyncIterator[bytes]:
        reached = -1
        while reached < first:  # one source may go on where another has a hole
            reached = first
            for source in sources:
                async for raw in source(first):
                    first += 1
                    yield raw

    return entries


def topic_source(settings: Settings) -> Source:
    """Entries from the log's topic. Repeats only add records, so entry i is never before offset i.

    Only in a topic that was created again, and filled from a later entry on, it may be.
    """

    async def entries(first: int) -> AsyncIterator[bytes]:
        partition = TopicPartition(settings.log_topic, 0)
        async with consuming(settings) as consumer:
            end = (await ends_of_existing(consumer, [partition.topic])).get(partition.topic, 0)
            if not end:
                return
            consumer.assign([partition])
            begin = (await consumer.beginning_offsets([partition]))[partition]
            offset, expected = max(begin, first), first
            if begin < end and await _index_at(consumer, partition, begin) > begin:
                offset = begin
            consumer.seek(partition, offset)
            while await consumer.position(partition) < end:
                fetched = await consumer.getmany(partition, timeout_ms=1000, max_records=CHUNK_ENTRIES)
                for record in fetched.get(partition, []):
                    index = _index_of(record)
                    if index > expected:
                        return
                    if index == expected:
                        expected += 1
                        yield record.value

    return entries


async def _index_at(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> int:
    consumer.seek(partition, offset)
    return _index_of(await consumer.getone(partition))


def _index_of(record: ConsumerRecord) -> int:
    return int(dict(record.headers)[INDEX_HEADER])


async def chunks(source: Source, first: int) -> AsyncIterator[list[bytes]]:
    """The entries of a source from an index on, in chunks of `CHUNK_ENTRIES`."""
    chunk: list[bytes] = []
    async for raw in source(first):
        chunk.append(raw)
        if len(chunk) == CHUNK_ENTRIES:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


@dataclass(frozen=True, slots=True)
class Recovered:
    """The sizes before and after, the root after, and what each topic lacks.

    `halted` are the topics that lost their last record, with the reason. `lost_texts`: how many texts of the log are
    lost, from this recovery or an earlier one.
    """

    size_before: int
    size: int
    root: bytes
    lacking: dict[str, Lacking]
    halted: dict[str, str]
    lost_texts: int


async def recover(
    settings: Settings,
    source: Source,
    progress: Progress,
    *,
    texts: Sequence[FolderTexts] = (),
    unsigned: bool = False,
    permit: Permit | None = None,
) -> Recovered:
    """Recover the missing entries, and their texts from their topic and from the folders `texts`.

    `unsigned`: also take entries after the last signed root that no agency's topic confirms; `permit` is for that, and
    is used before the first of them.
    """
    settings = settings.acting_as("registrar")  # it writes the log, and reads the log's key
    done: list[Recovered] = []
    spec = LeaseSpec(LEASE, lambda _: connect(settings, "recover lease"))

    async def work(journal: Journal) -> None:
        try:
            done.append(await _Recovery(journal, source, progress, unsigned, permit=permit, folders=texts).run())
        except Halt:
            await lease.require(spec, journal.epoch)
            raise

    try:
        # Reading and verifying take longer than a lease lasts, and a halted registrar is waiting for it.
        async with _journal(settings) as journal, renewing(spec, journal.epoch, settings) as lost:
            await until_one_ends(lost, work(journal))
    except Fenced as error:
        raise CannotRecover(
            f"{error}: a registrar has taken over the log; stop it and run this again to resume"
        ) from error
    except (Fork, Diverged) as error:
        raise CannotRecover(str(error)) from error
    return done[0]


@asynccontextmanager
async def _journal(settings: Settings) -> AsyncIterator[Journal]:
    """The journal under a new epoch. A halted registrar releases the lease every few seconds."""
    async with connected(settings, "recover", batch=True) as connection:
        await limit_idle(connection, settings)  # each transaction holds the lease's row
        epoch = None
        # The owner's name must be unique: a second owner of the same name would take over the lease.
        name = f"{OWNER} on {socket.gethostname()}, process {os.getpid()}, {uuid4().hex[:8]}"
        for _ in range(1 + 3 * settings.lease_ms // 100):
            epoch = await lease.claim(connection, LEASE, name, settings)
            if epoch is not None:
                break
            await asyncio.sleep(0.1)
        if epoch is None:
            raise CannotRecover(_at_work(await lease.owner(connection, LEASE) or ""))
        try:
            journal = Journal(connection, epoch, settings, is_recovering=True)
            await journal.open()
            yield journal
        finally:
            with suppress(*TRANSIENT_ERRORS):
                await lease.release(connection, LEASE, epoch)


def _at_work(owner: str) -> str:
    if owner.startswith(OWNER):
        return f"another recovery is running ({owner}): wait until it ends"
    return f"a registrar is running ({owner}), so the log needs no recovery (see `yesser status`)"


@dataclass(slots=True)
class _Recovery:
    """One recovery under one epoch. Positions and agencies are the database's, updated by each write."""

    journal: Journal
    source: Source
    progress: Progress
    unsigned: bool
    agencies: dict[str, Agency] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    lacking: dict[str, Lacking] = field(default_factory=dict)
    halted: dict[str, str] = field(default_factory=dict)
    permit: Permit | None = None
    folders: Sequence[FolderTexts] = ()

    async def run(self) -> Recovered:
        journal, before = self.journal, self.journal.size
        settings = journal.settings
        async with journal.lock:
            stored = await stored_transitions(journal.connection)
        history = load_keys(log_key_files(settings), stored).history
        checkpoints = checkpoints_of(await read_topic_checkpoints(settings), history, settings.checkpoints_topic)
        checkpoints += signed_trees(history)
        if (in_file := read_last_checkpoint(settings.log_folder, history)) is not None:
            checkpoints.append(in_file)
        last = newest(checkpoints)
        async with found_texts(settings, before, self.folders) as texts:
            await self._verify(history, last, texts)
            await self._recover(before, 0 if last is None else last.size, texts)
        async with journal.lock:
            await require_continuation(journal.connection, history, checkpoints, journal.size)
            lost_texts = await journal.connection.fetchval(_SQL["lost_texts"])
        return Recovered(before, journal.size, journal.tree.root(), self.lacking, self.halted, lost_texts)

    async def _recover(self, before: int, signed_size: int, texts: RecoveredTexts) -> None:
        journal = self.journal
        async with journal.transaction() as connection:
            if self.permit is not None:
                await self.permit.use(connection)
            words = ["recover", "from", str(before), *["--accept-unsigned"] * self.unsigned]
            await add_to_trail(connection, *words)
        self.agencies = {agency_topic(a.code): a for a in await journal.agencies()}
        self.agencies.setdefault(agency_topic(PLATFORM), Agency(PLATFORM, "platform"))
        self.positions = {topic: p.next_offset for topic, p in (await journal.positions()).items()}
        async with agency_records(journal.settings) as records:
            async for raws in chunks(self.source, before):
                for part in _parts(journal.size, raws, signed_size):
                    await self._write(records, part, signed_size, texts)
                self.progress("written", journal.size)

    async def _verify(self, history: KeyHistory, last: Checkpoint | None, texts: RecoveredTexts) -> None:
        """Read all entries once, without writing, and compare with the signed root. What they withhold is
        not among the texts then."""
        tree: TileTree = self.journal.tree.copy()
        if last is None or last.size <= tree.size:
            async with self.journal.lock:
                await require_continuation(self.journal.connection, history, [last] if last else [], tree.size)
            return
        withholding: list[tuple[int, bytes]] = []
        async for raws in chunks(self.source, tree.size):
            signed = enumerate(raws[: last.size - tree.size], tree.size)
            withholding += [(index, raw) for index, raw in signed if TEXT_WITHHELD.encode() in raw]
            leaves = [leaf_hash(raw) for raw in raws]
            if tree.size + len(leaves) >= last.size:
                tree.append(leaves[: last.size - tree.size])
                if tree.root() != last.root:
                    raise WrongEntries(
                        f"with the entries of these sources the first {last.size} do not give the signed root: "
                        "nothing was written; try another source (`--from MIRROR`), or an older copy of the database"
                    )
                withholdings = Withholdings()
                for index, raw in withholding:
                    withholdings.look(index, [raw])
                texts.withhold(withholdings.by)
                return
            tree.append(leaves)
            self.progress("verified", tree.size)
        raise CannotRecover(
            f"a checkpoint of size {last.size} was signed, but the sources hold entries up to {tree.size} only:"
            f" {tree.size} to {last.size - 1} are missing, and nothing was written; add a source that has them"
            " (`--from MIRROR`, more than once if need be; docs/runbook.md, “Entries that no source has”)"
        )

    async def _write(
        self, records: AgencyRecords, part: Sequence[tuple[Entry, bytes]], signed_size: int, texts: RecoveredTexts
    ) -> None:
        """Commit entries of one recorded time, all before or all after the signed root."""
        entries, raws = [entry for entry, _ in part], [raw for _, raw in part]
        if entries[0].index < signed_size:
            # What is not signed is not believed before an entry is confirmed: there nothing is written ahead of it.
            await self._write_gaps(records, entries)
        found = texts.of(entries[0].index, entries[-1].index + 1)
        restoring = Part(entries, raws, await self._held(records, entries), found)
        restored = restoring.restore(await self._known(restoring))
        if entries[0].index >= signed_size and restored.unconfirmed and not self.unsigned:
            index, topic = restored.unconfirmed[0]
            raise CannotRecover(
                f"entry {index} is after the last signed checkpoint (size {signed_size}), and {topic} does not"
                f" confirm it: the log is recovered up to {self.journal.size} only; try another source (`--from"
                " MIRROR`), or `--accept-unsigned` if you trust this one"
            )
        for withheld in restored.batch.withheld:
            await self._delete_refused(withheld)
        await self.journal.commit(restored.batch)
        self._note(restored)

    async def _delete_refused(self, withheld: Withheld) -> None:
        """Delete the refused records with a text that is withheld next, as the command that withheld it did: the copy,
        and the agency's topic, still have them. Nobody knows the text of an entry that came back without it."""
        async with self.journal.transaction() as connection:
            text = await connection.fetchval(_SQL["text"], withheld.of_index, withheld.member)
            if text is not None:
                [raw] = await read_checked(connection, withheld.of_index, 1)
                agency = parse_entry(withheld.of_index, raw).agency
                refused = await refused_with(connection, agency, orjson.loads(text))
                await connection.execute(_SQL["delete_refused"], refused)

    async def _known(self, restoring: Gap | Part) -> Known:
        """The claims that are in the log, with what is kept of the texts of their entries."""
        known = await self.journal.known([event.claim for event in restoring.events])
        restoring.kept.update(known.texts)
        return known.claims

    async def _write_gaps(self, records: AgencyRecords, entries: Sequence[Entry]) -> None:
        """Commit the duplicates before the first entry of each topic, a step at a time: there may be any number."""
        first: dict[str, int] = {}
        for entry in entries:
            topic, offset = address_of(entry)
            first.setdefault(topic, offset)
        for topic in first.keys() & self.agencies.keys() & self.positions.keys():
            while (end := await records.step_end(topic, self.positions[topic], first[topic])) < first[topic]:
                held = await records.read(topic, self.agencies[topic], self.positions[topic], end)
                gap = Gap(topic, held, end, Batch(self.journal.size, entries[0].recorded))
                restored = gap.restore(await self._known(gap))
                await self.journal.commit(restored.batch)
                self._note(restored)

    async def _held(self, records: AgencyRecords, entries: Sequence[Entry]) -> dict[str, Held]:
        """What these entries' topics hold up to them. One of the entries may register an agency."""
        ends: dict[str, int] = {}
        for entry in entries:
            topic, offset = address_of(entry)
            ends[topic] = offset + 1
            if topic not in self.agencies:
                raise CannotRecover(f"entry {entry.index} is of {topic}, which belongs to no registered agency")
            if entry.type == REGISTERED:
                agency = Agency(entry.data["code"], entry.data["role"])
                self.agencies.setdefault(agency_topic(agency.code), agency)
        held: dict[str, Held] = {}
        for topic, end in ends.items():
            if topic not in self.positions:
                await self.journal.start_topic(topic)
            held[topic] = await records.read(topic, self.agencies[topic], self.positions.get(topic, 0), end)
        return held

    def _note(self, restored: Restored) -> None:
        for topic, (next_offset, _) in restored.batch.positions.items():
            self.positions[topic] = next_offset
        for topic, reason in restored.batch.halts.items():
            self.halted.pop(topic, None)
            if reason is not None:
                self.halted[topic] = reason
        for topic, lacking in restored.lacking.items():
            if lacking.records or lacking.duplicates:
                total = self.lacking.setdefault(topic, Lacking())
                total.records += lacking.records
                total.duplicates += lacking.duplicates


def _parts(first: int, raws: Sequence[bytes], signed_size: int) -> Iterator[list[tuple[Entry, bytes]]]:
    """Runs of entries of one recorded time, split at the signed root's size."""
    entries = [(parse_entry(first + i, raw), raw) for i, raw in enumerate(raws)]
    for _, part in groupby(entries, key=lambda found: (found[0].recorded, found[0].index < signed_size)):
        yield list(part)
