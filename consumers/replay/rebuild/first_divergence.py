"""Finds the entry at which the live tables diverge, and its event.

A read model has no history, but its rows name entries. A live row that is behind may be right as of its own last entry:
the log is then folded again up to there and on to the entry that changes the row, the first that the live side missed.
Any other wrong row is attributed to the last entry that it names.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, Final

import orjson
from msgspec import Struct
from msgspec.structs import replace

from consumers.replay.fold.apply import load
from consumers.replay.fold.replay import Scratch, replay
from consumers.replay.fold.watched import WatchedUnitOfWork
from consumers.replay.rebuild.comparison import Difference, Differences, Row
from events.values.data import Data
from infra.log.ports.read_ahead import parsed_entries
from infra.log.reader import read_checked
from infra.postgres.connection import Connection
from infra.postgres.unit_of_work import Table
from infra.settings import Settings

DIFFERENCES_NAMED_MAX: Final = 20
LOOKED_INTO_MAX: Final = 5
"""Rows for which the log is folded again; if they are not enough, the answer is a lower bound."""
WATCHED_ENTRIES: Final = 512
"""Entries of a batch that is folded one by one."""


class FirstDifference(Struct, frozen=True):
    """The row that differs first, the event at its index, and the first `rows` that differ, itself among them."""

    consumer: str
    read_model: str
    key: Row
    index: int | None
    live: Row | None
    rebuilt: Row | None
    event: Data | None
    rows: tuple[Difference, ...]


async def first_difference(settings: Settings, scratch: Scratch, differences: Sequence[Differences]) -> FirstDifference:
    """The rows that differ first, over all tables of a consumer, and the entry that they differ at."""
    rows = sorted((row for table in differences for row in table.first), key=_order)
    certain: set[tuple[str, str]] = set()
    for _ in range(LOOKED_INTO_MAX):
        first = rows[0]
        name = (first.read_model, repr(first.key))
        if first.live_is_behind and name not in certain:
            certain.add(name)
            rows[0] = replace(first, index=await _missed(settings, scratch, first))
            rows.sort(key=_order)
    first = rows[0]
    event = None if first.index is None else await _event(scratch.connection, first.index)
    row = first.read_model, first.key, first.index, first.live, first.rebuilt
    return FirstDifference(scratch.consumer.name, *row, event, tuple(rows[:DIFFERENCES_NAMED_MAX]))


def _order(row: Difference) -> tuple[bool, int, str]:
    return row.index is None, row.index or 0, row.read_model


async def _event(connection: Connection, index: int) -> Data | None:
    for raw in await read_checked(connection, index, 1):
        event: Data = orjson.loads(raw)["event"]
        return event
    return None


async def _missed(settings: Settings, scratch: Scratch, row: Difference) -> int:
    """The first entry that changes the row from its live value, else the last one that the live row names."""
    assert row.live is not None
    table = next(table for table in scratch.consumer.tables if table.name == row.read_model)
    last: int = row.live["last_index"]
    trial = Scratch(scratch.connection, scratch.consumer, f"{scratch.schema}_trial")
    await trial.create()
    try:
        await replay(settings, [trial], last + 1)
        if await _row(trial.connection, table, row) != row.live:
            return last
        return await _first_change(trial, table, row, scratch.position)
    finally:
        await trial.drop()


async def _first_change(trial: Scratch, table: Table[Any], row: Difference, end: int) -> int:
    """Fold on, entry by entry, to the first one that changes the row."""
    as_json = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)
    key = tuple(row.key[name] for name in table.key)
    reading = parsed_entries(trial.connection, trial.position, end, WATCHED_ENTRIES)
    async with aclosing(reading) as batches:
        async for entries in batches:
            rows = WatchedUnitOfWork({table: as_json})
            await load(trial.store, rows, trial.consumer, entries)
            for entry in entries:
                rows.begin()
                trial.consumer.fold(rows, [entry])
                if any(own == key and before != after for _, own, before, after in rows.changed()):
                    return entry.index
            await trial.store.write(rows)
    return end - 1


async def _row(connection: Connection, table: Table[Any], row: Difference) -> Row | None:
    where = " AND ".join(f"t.{name} = ${i}" for i, name in enumerate(table.key, 1))
    row_now: Row | None = await connection.fetchval(
        f"SELECT to_jsonb(t) FROM {table.name} t WHERE {where}", *(row.key[name] for name in table.key)
    )
    return row_now
