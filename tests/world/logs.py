"""A log in PostgreSQL and in its topic, as the registrar would have written it, and consumers that applied it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

import orjson

from consumers.models.registry import CONSUMERS
from consumers.proof.commitments.commitment import hash_read_models
from consumers.registrar.batch import Batch
from consumers.registrar.journal import LEASE, Journal
from consumers.replay.fold.apply import apply
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.postgres_store import live_store
from events.validation.refusal import REFUSED
from events.wire.entry import SOURCE_PREFIX, Entry, entry_bytes, parse_entry
from infra.kafka.clients import producing
from infra.log.layout import TILE
from infra.log.merkle import TileTree, leaf_hash
from infra.log.signed_note import LogKey
from infra.postgres.connection import Connection, connected
from infra.postgres.outbox import OutboxEvent, event_bytes
from infra.process import lease
from infra.settings import Settings
from tests.oracle.history import MIXED, Profile, entries_from, generate
from tests.oracle.log import EntryDict
from tests.world.memory_log import KEY, root_of
from tests.world.records import RECORDED, said

BATCH_ENTRIES = 97


def raw_entries(log: Iterable[EntryDict]) -> list[bytes]:
    """The entries' bytes."""
    return [orjson.dumps({name: entry[name] for name in ("recordedtime", "from", "event")}) for entry in log]


def history_bytes(seed: int, events: int, profile: Profile = MIXED) -> list[bytes]:
    """The entries of a history that is generated."""
    return raw_entries(entries_from(generate(seed, events, profile)))


def bundle_of(entries: Sequence[bytes]) -> bytes:
    """The entries as a segment has them."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


async def write_log(
    connection: Connection, raw: Sequence[bytes], begin: int = 0, *, segment_entries: Callable[[], int] = lambda: TILE
) -> None:
    """Put entries where replays read them, with their leaves, in segments of so many that end with their bundle at the
    latest. Those before `begin` are there already."""
    first = begin
    while first < len(raw):
        end = min(first + segment_entries(), first - first % TILE + TILE, len(raw))
        part = raw[first:end]
        leaves = b"".join(map(leaf_hash, part))
        await connection.execute(
            "INSERT INTO log.segment VALUES ($1, $2, $3, $4)", first, len(part), bundle_of(part), leaves
        )
        first = end
    await connection.execute("UPDATE log.state SET size = $1", len(raw))


async def write_claims(connection: Connection, entries: Iterable[Entry]) -> None:
    """Put the ids of accepted events where the registrar keeps them, and their senders."""
    for entry in entries:
        if entry.type != REFUSED:
            await connection.execute(
                "INSERT INTO platform.agency (code, role, name, registered_index)"
                """ VALUES ($1, 'agency', '{"ar": "جهة", "en": "Agency"}', 0)"""
                " ON CONFLICT DO NOTHING",
                entry.agency,
            )
            claim = sha256(f"{SOURCE_PREFIX}{entry.agency}\0{entry.id}".encode()).digest()[:16]
            await connection.execute(
                "INSERT INTO log.event_id VALUES ($1, '', $2) ON CONFLICT DO NOTHING", claim, entry.index
            )


async def write_tree(connection: Connection, raw: Sequence[bytes]) -> None:
    """Put the hashes above the leaves where the registrar keeps them."""
    nodes = TileTree().append([leaf_hash(entry) for entry in raw])
    await connection.executemany("INSERT INTO log.node VALUES ($1, $2, $3)", nodes)


async def sign(connection: Connection, raw: Sequence[bytes], size: int, key: LogKey = KEY) -> None:
    """Sign the log at this size."""
    note = key.sign_checkpoint(size, root_of(list(raw[:size])))
    await connection.execute("INSERT INTO log.checkpoint (size, note) VALUES ($1, $2)", size, note)


async def write_signed_log(connection: Connection, raw: Sequence[bytes], signed_size: int) -> None:
    """The log as a registrar with batches of changing size would have left it, signed at this size."""
    chance = random.Random(110)
    await write_log(connection, raw, segment_entries=lambda: chance.randint(1, 300))
    await write_tree(connection, raw)
    await sign(connection, raw, signed_size)


async def apply_live(
    connection: Connection, consumer: Consumer, raw: Sequence[bytes], *, without: frozenset[int] = frozenset()
) -> list[OutboxEvent]:
    """Apply the log to the live tables from where they stand, and return what was decided; the outbox is not written.

    Entries `without` are lost, as by a bug.
    """
    decided = []
    select = "SELECT position FROM platform.position WHERE consumer = $1"
    position = await connection.fetchval(select, consumer.name) or 0
    for first in range(position, len(raw), BATCH_ENTRIES):
        part = raw[first : first + BATCH_ENTRIES]
        entries = [parse_entry(first + i, entry) for i, entry in enumerate(part) if first + i not in without]
        async with connection.transaction():
            await connection.execute(f"SET LOCAL search_path = {consumer.schema}")
            decided += await apply(live_store(connection, consumer), consumer, entries)
            await set_position(connection, consumer, first + len(part))
    return decided


async def set_position(connection: Connection, consumer: Consumer, position: int) -> None:
    """The consumer has applied the log up to here."""
    await connection.execute(
        "INSERT INTO platform.position (consumer, position, rules_version, fold_sha256) "
        "VALUES ($1, $2, $3, $4) ON CONFLICT (consumer) DO UPDATE SET position = excluded.position",
        consumer.name,
        position,
        consumer.version.number,
        consumer.version.sha256,
    )


async def apply_everywhere(connection: Connection, raw: Sequence[bytes]) -> None:
    """Every consumer applies the log."""
    for consumer in CONSUMERS.values():
        await apply_live(connection, consumer, raw)


async def with_commitments(connection: Connection, raw: Sequence[bytes]) -> list[bytes]:
    """The log with the commitments to the live tables at its end."""
    values = [event_bytes(commitment.event()) for commitment in await hash_read_models(connection)]
    recorded = "2027-11-25T08:00:00.000000Z"
    return [*raw, *(entry_bytes(recorded, f"agency.platform.events/0/{n}", value) for n, value in enumerate(values))]


def small_entry(index: int) -> bytes:
    """The entry that `grow` and `ship` write at this index."""
    return entry_bytes(RECORDED, f"agency.health.events/0/{index}", said(f"e{index}"))


async def open_journal(connection: Connection, settings: Settings, owner: str = "test") -> Journal:
    """The journal of a registrar that has claimed the lease."""
    epoch = await lease.claim(connection, LEASE, owner, settings)
    assert epoch is not None
    journal = Journal(connection, epoch, settings)
    await journal.open()
    return journal


async def grow(settings: Settings, count: int) -> None:
    """Add entries to the log in PostgreSQL, as the registrar would."""
    async with connected(settings, "grower") as connection:
        journal = await open_journal(connection, settings, "grower")
        added = [small_entry(journal.size + i) for i in range(count)]
        await journal.commit(Batch(journal.size, RECORDED, entries=added, subjects=["initiative/I-1"] * count))
        await lease.release(connection, LEASE, journal.epoch)


async def ship(settings: Settings, indexes: Sequence[int], change: Callable[[bytes], bytes] = lambda raw: raw) -> None:
    """Write entries into the log's topic, in the given order."""
    await ship_raw(settings, [(index, change(small_entry(index))) for index in indexes])


async def ship_raw(settings: Settings, entries: Iterable[tuple[int, bytes]]) -> None:
    async with producing(settings) as producer:
        sent = []
        for index, raw in entries:
            headers = [("index", b"%d" % index), ("leaf", leaf_hash(raw).hex().encode())]
            sent.append(await producer.send(settings.log_topic, raw, partition=0, headers=headers))
        await asyncio.gather(*sent)
