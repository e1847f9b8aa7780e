"""A state read from past rows is what a fold of the whole log gives, at any index, whatever the batches were."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from bench.ledger import history
from consumers.models.registry import CONSUMERS
from consumers.programme.plan.document import PLAN_CONSUMERS, anomalies_found, plan_at_a_glance, plan_document
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.replay.as_of import past_state
from consumers.replay.as_of.past_state import is_shown
from consumers.replay.as_of.point_in_time import PointInTime
from consumers.replay.as_of.view import View, view
from consumers.replay.fold import past_rows
from consumers.replay.fold.apply import apply
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.postgres_store import live_store
from consumers.replay.rebuild.rebuild import RebuildOptions, rebuild
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.wire.entry import parse_entry
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.oracle.history import HOSTILE, MIXED
from tests.world.logs import apply_live, history_bytes, raw_entries, set_position, write_log

BLOCK_ENTRIES = 32
SPAN_BLOCKS = 3
ENTRIES = 450


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    set_blocks(monkeypatch, BLOCK_ENTRIES, SPAN_BLOCKS)


def set_blocks(monkeypatch: pytest.MonkeyPatch, entries: int, span_blocks: int) -> None:
    monkeypatch.setattr(past_rows, "BLOCK_ENTRIES", entries)
    monkeypatch.setattr(past_state, "BLOCK_ENTRIES", entries)
    monkeypatch.setattr(past_rows, "SPAN_BLOCKS", span_blocks)


@pytest.fixture(scope="module")
def raw() -> list[bytes]:
    return history_bytes(71, ENTRIES)


class Crash(Exception):
    """The process ends in the middle of a transaction."""


async def apply_in_batches(connection: Connection, consumer: Consumer, raw: Sequence[bytes], random: Random) -> None:
    """In batches of any size; now and then a transaction is lost, or a process begins with nothing in memory."""
    store, position = live_store(connection, consumer), 0
    while position < len(raw):
        end = min(len(raw), position + random.choice((1, 2, 7, 31, 64, 150)))
        entries = [parse_entry(index, raw[index]) for index in range(position, end)]
        chance = random.random()
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL search_path = {consumer.schema}")
                await apply(store, consumer, entries)
                if chance < 0.2:
                    raise Crash
        except Crash:
            store.forget()
        else:
            position = end
            store = live_store(connection, consumer) if chance > 0.8 else store
    await set_position(connection, consumer, position)


async def rows_of(shown: View, consumers: Sequence[Consumer]) -> dict[str, list[Any]]:
    """All rows, by table; facts that wait have no view."""
    found = {}
    for consumer in consumers:
        connection = await shown.use(consumer)
        for table in consumer.tables:
            if is_shown(table):
                rows = f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {', '.join(table.key)}"
                found[f"{consumer.name}.{table.name}"] = list(map(tuple, await connection.fetch(rows)))
    return found


async def require_same(settings: Settings, consumers: Sequence[Consumer], index: int) -> None:
    """The rows, the plan and the anomalies after `index` entries, by past rows and by a fold of the whole log."""
    at = PointInTime(index=index)
    async with view(settings, consumers, at) as quick, view(settings, consumers, at, from_log=True) as folded:
        assert await is_of_views(quick)
        assert not await is_of_views(folded)
        assert await rows_of(quick, consumers) == await rows_of(folded, consumers), index
        assert await plan_document(quick) == await plan_document(folded), index
        assert await anomalies_found(quick) == await anomalies_found(folded), index


async def is_of_views(shown: View) -> bool:
    """Whether it was not folded into tables."""
    connection = await shown.use(PROJECTIONS)
    kind: str = await connection.fetchval("SELECT relkind::text FROM pg_class WHERE oid = 'plan'::regclass")
    return kind == "v"


@pytest.mark.accept
@pytest.mark.timeout(600)
async def test_many_active_partnerships_keep_at_most_200_bytes_an_entry(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each block changes nearly all rows of the ledger, as the receipts of 4,000 partnerships do in a real block."""
    set_blocks(monkeypatch, 256, 32)
    raw = raw_entries(history(2 * 8_192, 250))
    await write_log(connection, raw)
    for end in range(2_048, len(raw) + 2_048, 2_048):
        await apply_live(connection, REVENUE, raw[:end])
        await connection.execute("VACUUM revenue.past_block")  # as PostgreSQL does by itself, after a while
    sizes = (
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
        " WHERE relnamespace = 'revenue'::regnamespace AND relname LIKE 'past%' AND relkind = 'r'"
    )
    assert await connection.fetchval("SELECT count(*) FROM revenue.past_row") > 5 * len(raw)
    assert await connection.fetchval(sizes) / len(raw) < 200


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("entries", "span_blocks"),
    [(BLOCK_ENTRIES, SPAN_BLOCKS), *(pytest.param(*other, marks=pytest.mark.accept) for other in ((8, 16), (48, 1)))],
)
async def test_it_is_the_fold_of_the_whole_log(
    settings: Settings,
    connection: Connection,
    raw: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
    entries: int,
    span_blocks: int,
) -> None:
    set_blocks(monkeypatch, entries, span_blocks)
    random = Random(entries)
    await write_log(connection, raw)
    consumers = list(CONSUMERS.values())
    for consumer in consumers:
        await apply_in_batches(connection, consumer, raw, random)
    edges = (0, 1, entries, entries * span_blocks, len(raw) - 1, len(raw))
    for index in (*edges, *random.sample(range(len(raw)), 2)):
        await require_same(settings, consumers, index)
    for consumer in PLAN_CONSUMERS:
        rebuilt = await rebuild(settings, consumer)
        assert rebuilt.ok, rebuilt.first_difference
        assert [model.name for model in rebuilt.read_models[-2:]] == ["past_row", "past_span"]
        assert all(model.rows > 0 for model in rebuilt.read_models[-2:])


@pytest.mark.accept
@pytest.mark.parametrize("seed", range(1, 8))
async def test_what_is_copied_does_not_depend_on_the_batches(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random = Random(seed)
    set_blocks(monkeypatch, *random.choice(((32, 3), (8, 16), (48, 1), (100, 2))))
    raw = history_bytes(seed, 900, random.choice((MIXED, HOSTILE)))
    await write_log(connection, raw)
    for consumer in PLAN_CONSUMERS:
        await apply_in_batches(connection, consumer, raw, random)
        rebuilt = await rebuild(settings, consumer)
        assert rebuilt.ok, rebuilt.first_difference


async def test_past_rows_are_rebuilt_with_rows_and_those_of_another_version_are_not_shown_as_the_past_of_this_one(
    settings: Settings, connection: Connection, raw: list[bytes]
) -> None:
    """A consumer that is behind is folded from its live rows."""
    await write_log(connection, raw)
    behind = len(raw) - 3 * BLOCK_ENTRIES
    for consumer, end in zip(PLAN_CONSUMERS, (len(raw), behind, behind + 5), strict=True):
        await apply_live(connection, consumer, raw[:end])
    for index in (behind - 1, behind, behind + 1, behind + 40, len(raw)):
        await require_same(settings, PLAN_CONSUMERS, index)
    for consumer in PLAN_CONSUMERS:
        await apply_live(connection, consumer, raw)

    damaged = (
        "UPDATE projections.past_block SET rows = replace(rows::text, 'true', 'false')::text[]",
        "UPDATE projections.past_span SET row = replace(row, 'true', 'false')",
    )
    for statement in damaged:
        assert await connection.execute(statement) != "UPDATE 0"
    compared = {model.name: model.ok for model in (await rebuild(settings, PROJECTIONS)).read_models}
    assert [name for name, ok in compared.items() if not ok] == ["past_row", "past_span"]
    await rebuild(settings, PROJECTIONS, RebuildOptions(compare=False, swap=True))
    for index in range(BLOCK_ENTRIES, len(raw), 151):
        await require_same(settings, PLAN_CONSUMERS, index)

    before = await plan_at_a_glance(settings, len(raw) // 2)
    await connection.execute("UPDATE platform.position SET fold_sha256 = 'other' WHERE consumer = 'revenue'")
    await connection.execute("UPDATE revenue.account SET debits_halalas = debits_halalas + 1")
    async with view(settings, PLAN_CONSUMERS, len(raw) // 2) as shown:
        assert not await is_of_views(shown)
        assert (await plan_document(shown)) == before[0]
