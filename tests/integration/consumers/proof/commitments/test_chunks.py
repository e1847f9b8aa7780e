"""Commitments of a log that is longer than a block: as of its beginning, in short transactions, while entries come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from consumers.models.registry import CONSUMERS
from consumers.proof.commitments import chunks
from consumers.proof.commitments.commitment import Commitment, hash_read_models
from consumers.replay.fold import past_rows
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.replay import Scratch, replay
from consumers.replay.fold.table_hash import RowHasher
from consumers.replay.rebuild.comparison import table_hash
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connect, connected
from infra.settings import Settings
from tests.world.logs import apply_live, history_bytes, write_log

BLOCK_ENTRIES = 64
FIRST, STEP = 200, 70
CHUNK_ROWS = 20


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past_rows, "BLOCK_ENTRIES", BLOCK_ENTRIES)
    monkeypatch.setattr(chunks, "CHUNK_ROWS", CHUNK_ROWS)
    monkeypatch.setattr(chunks, "CHUNK_ROWS_MAX", CHUNK_ROWS)


@pytest.fixture(scope="module")
def raw() -> list[bytes]:
    return history_bytes(81, FIRST + 3 * STEP)


@pytest.fixture
async def live(connection: Connection, raw: list[bytes]) -> Connection:
    """The log is written, and every consumer has applied its first part."""
    await write_log(connection, raw)
    for consumer in CONSUMERS.values():
        await apply_live(connection, consumer, raw[:FIRST])
    return connection


async def folded(settings: Settings, connection: Connection, consumer: Consumer, index: int) -> Sequence[Any]:
    """The hashes of a consumer's tables by a fold of the log up to an index."""
    scratch = Scratch(connection, consumer, "folded")
    await scratch.create()
    try:
        await replay(settings, [scratch], index)
        async with connection.transaction():
            return [await table_hash(connection, table) for table in consumer.tables]
    finally:
        await scratch.drop()


async def require_right(settings: Settings, connection: Connection, found: Sequence[Commitment], index: int) -> None:
    """Each is the hash of a fold up to `index`."""
    expected = {
        f"{name}.{one.name}": (one.rows, one.sha256)
        for name, consumer in CONSUMERS.items()
        for one in await folded(settings, connection, consumer, index)
    }
    assert {one.name: (one.rows, one.sha256) for one in found} == expected


NOTE = """INSERT INTO platform.committed (consumer, fold_version, log_index, entries_count) VALUES ($1, $2, $3, 0)
ON CONFLICT (consumer, fold_version) DO UPDATE SET log_index = $3"""


async def note(connection: Connection, index: int) -> None:
    """Every consumer was committed at this index."""
    for name, consumer in CONSUMERS.items():
        await connection.execute(NOTE, name, consumer.rows_version.label, index)


async def test_they_are_of_one_index_while_more_comes(settings: Settings, live: Connection, raw: list[bytes]) -> None:
    """Between two chunks, entries are applied that change rows which were read already, and others."""
    for number, (what, block_entries, is_block_committed) in enumerate(
        (
            ("the block", BLOCK_ENTRIES, False),
            ("the position, since the block was committed", BLOCK_ENTRIES, True),
            ("the position in the first block", 4_096, False),
        )
    ):
        position, end = FIRST + number * STEP, FIRST + (number + 1) * STEP
        block = position - position % block_entries
        index = position if is_block_committed or block == 0 else block
        await note(live, block if is_block_committed else 0)
        with pytest.MonkeyPatch.context() as patches:
            patches.setattr(past_rows, "BLOCK_ENTRIES", block_entries)
            found = await hashed_while_entries_come(settings, live, raw[:end], position, patches)
        assert {one.log_index for one in found} == {index}, what
        await require_right(settings, live, found, index)


async def hashed_while_entries_come(
    settings: Settings, live: Connection, raw: Sequence[bytes], position: int, patches: pytest.MonkeyPatch
) -> Sequence[Commitment]:
    """The commitments of consumers that apply the log from this position on, a little before each chunk."""
    ends = dict.fromkeys(CONSUMERS, position)
    add, snapshot = RowHasher.add, chunks.snapshot

    @asynccontextmanager
    async def snapshot_after_more(connection: Connection, consumer: Consumer) -> AsyncIterator[None]:
        ends[consumer.name] = min(len(raw), ends[consumer.name] + 8)
        await apply_live(live, consumer, raw[: ends[consumer.name]])
        async with snapshot(connection, consumer):
            yield

    def counted(hasher: RowHasher, records: Sequence[Any]) -> None:
        assert len(records) <= CHUNK_ROWS or hasher.table.transient
        add(hasher, records)

    patches.setattr(chunks, "snapshot", snapshot_after_more)
    patches.setattr(RowHasher, "add", counted)
    async with connected(settings, "test", batch=True) as reader:
        found = await hash_read_models(reader)
    assert set(ends.values()) == {len(raw)}, "entries were applied meanwhile"
    return found


async def test_a_row_that_was_changed_is_committed_as_it_is(live: Connection) -> None:
    """While its consumer stands, the live row itself is hashed, also if it was first changed in this block."""
    block = FIRST - FIRST % BLOCK_ENTRIES
    await note(live, block)
    before = {one.name: one.sha256 for one in await hash_read_models(live)}
    await live.execute("UPDATE event_index.event SET subject = 'x' WHERE index = 0")
    await live.execute("UPDATE projections.activity SET count = count + 1 WHERE last_index >= $1", block)
    after = {one.name: one.sha256 for one in await hash_read_models(live)}
    assert {name for name in before if before[name] != after[name]} == {"event-index.event", "projections.activity"}


async def test_no_snapshot_is_left_between_two_chunks_and_postgresql_ends_one_that_takes_too_long(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    projections = CONSUMERS["projections"]
    oldest = "SELECT backend_xmin IS NOT NULL OR backend_xid IS NOT NULL FROM pg_stat_activity WHERE pid = $1"
    async with connected(settings, "held back", batch=True) as reader:
        pid = reader.get_server_pid()
        async with chunks.snapshot(reader, projections):
            await reader.fetch("SELECT 1 FROM plan")
            assert await connection.fetchval(oldest, pid)
        assert not await connection.fetchval(oldest, pid)
    monkeypatch.setattr(chunks, "SNAPSHOT_MS_MAX", 100)
    reader = await connect(settings, "test", batch=True)
    with pytest.raises(TRANSIENT_ERRORS):
        async with chunks.snapshot(reader, projections):
            await reader.execute("SELECT pg_sleep(60)")
    assert reader.is_closed()
