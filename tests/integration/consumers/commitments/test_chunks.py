"""Commitments of a log that is longer than a block: as of its beginning, in short transactions, while entries come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from consumers.commitments import chunks
from consumers.commitments.commitment import Commitment, hash_read_models
from consumers.fold import past_rows
from consumers.fold.consumer import Consumer
from consumers.fold.replay import Scratch, replay
from consumers.rebuild.table_hash import RowHasher, table_hash
from consumers.registry import CONSUMERS
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connect
from infra.settings import Settings
from tests.oracle.history import MIXED, entries_from, generate
from tests.world.logs import apply_live, raw_entries, write_log

BLOCK_ENTRIES = 64
FIRST = 500
BLOCK = FIRST - FIRST % BLOCK_ENTRIES


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past_rows, "BLOCK_ENTRIES", BLOCK_ENTRIES)
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 5)
    monkeypatch.setattr(chunks, "CHUNK_ROWS_MAX", 5)


@pytest.fixture(scope="module")
def raw() -> list[bytes]:
    return raw_entries(entries_from(generate(81, 700, MIXED)))


@pytest.fixture
async def live(connection: Connection, raw: list[bytes]) -> Connection:
    """The log is written, and every consumer has applied its first part."""
    await write_log(connection, raw)
    for consumer in CONSUMERS.values():
        await apply_live(connection, consumer, raw[:FIRST])
    return connection


async def folded(settings: Settings, connection: Connection, consumer: Consumer, index: int) -> Sequence[Any]:
    """The hashes of a consumer's tables by a fold of the log up to an index."""
    scratch = Scratch(consumer, "folded")
    await scratch.create(connection, lasting=False)
    try:
        await replay(settings, [(connection, scratch)], index)
        async with connection.transaction():
            return [await table_hash(connection, table) for table in consumer.tables]
    finally:
        await scratch.drop(connection)


async def require_right(settings: Settings, connection: Connection, found: Sequence[Commitment], index: int) -> None:
    """Each is the hash of a fold up to `index`."""
    expected = {
        f"{name}.{one.name}": (one.rows, one.sha256)
        for name, consumer in CONSUMERS.items()
        for one in await folded(settings, connection, consumer, index)
    }
    assert {one.log_index for one in found} == {index}
    assert {one.name: (one.rows, one.sha256) for one in found} == expected


async def note(connection: Connection, index: int) -> None:
    """Every consumer was committed at this index."""
    for name, consumer in CONSUMERS.items():
        insert = (
            "INSERT INTO platform.committed (consumer, fold_version, log_index, entries_count) VALUES ($1, $2, $3, 0)"
        )
        await connection.execute(insert, name, consumer.rows_version.label, index)


@pytest.mark.parametrize(
    ("block_entries", "committed", "index"),
    [(BLOCK_ENTRIES, 0, BLOCK), (BLOCK_ENTRIES, BLOCK, FIRST), (4_096, 0, FIRST)],
    ids=["the block", "the position, since the block was committed", "the position in the first block"],
)
async def test_they_are_as_of_one_index_while_the_consumers_go_on(
    settings: Settings,
    live: Connection,
    raw: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
    block_entries: int,
    committed: int,
    index: int,
) -> None:
    """Between two chunks, entries are applied that change rows which were read already, and others."""
    monkeypatch.setattr(past_rows, "BLOCK_ENTRIES", block_entries)
    await note(live, committed)
    reader = await connect(settings, "test", batch=True)
    ends = dict.fromkeys(CONSUMERS, FIRST)
    add = RowHasher.add

    @asynccontextmanager
    async def snapshot_after_more(connection: Connection, consumer: Consumer) -> AsyncIterator[None]:
        ends[consumer.name] = min(len(raw), ends[consumer.name] + 3)
        await apply_live(live, consumer, raw[: ends[consumer.name]])
        async with snapshot(connection, consumer):
            yield

    def counted(hasher: RowHasher, records: Sequence[Any]) -> None:
        assert len(records) <= 5 or hasher._table.transient
        add(hasher, records)

    snapshot = chunks.snapshot
    monkeypatch.setattr(chunks, "snapshot", snapshot_after_more)
    monkeypatch.setattr(RowHasher, "add", counted)
    try:
        found = await hash_read_models(reader)
    finally:
        await reader.close()
    assert set(ends.values()) == {len(raw)}, "entries were applied meanwhile"
    monkeypatch.undo()
    await require_right(settings, live, found, index)


async def test_a_row_that_was_changed_is_committed_as_it_is(live: Connection) -> None:
    """While its consumer stands, the live row itself is hashed, also if it was first changed in this block."""
    await note(live, BLOCK)
    before = {one.name: one.sha256 for one in await hash_read_models(live)}
    await live.execute("UPDATE event_index.event SET subject = 'x' WHERE index = 0")
    await live.execute("UPDATE projections.activity SET count = count + 1 WHERE last_index >= $1", BLOCK)
    after = {one.name: one.sha256 for one in await hash_read_models(live)}
    assert {name for name in before if before[name] != after[name]} == {"event-index.event", "projections.activity"}


async def test_a_transaction_of_a_commitment_that_takes_too_long_is_ended_by_postgresql(
    settings: Settings, live: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "SNAPSHOT_MS_MAX", 100)
    reader = await connect(settings, "test", batch=True)
    with pytest.raises(TRANSIENT_ERRORS):
        async with chunks.snapshot(reader, CONSUMERS["projections"]):
            await reader.execute("SELECT pg_sleep(60)")
    assert reader.is_closed()


async def test_no_snapshot_is_left_between_two_chunks(settings: Settings, live: Connection) -> None:
    reader = await connect(settings, "held back", batch=True)
    oldest = "SELECT backend_xmin IS NOT NULL OR backend_xid IS NOT NULL FROM pg_stat_activity WHERE pid = $1"
    pid = reader.get_server_pid()
    held: list[bool] = []
    try:
        async with chunks.snapshot(reader, CONSUMERS["projections"]):
            await reader.fetch("SELECT 1 FROM plan")
            held.append(await live.fetchval(oldest, pid))
        held.append(await live.fetchval(oldest, pid))
    finally:
        await reader.close()
    assert held == [True, False]
