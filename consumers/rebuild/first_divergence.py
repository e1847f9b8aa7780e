"""Finds the entry at which the live tables diverge, and its event.

A read model has no history, but its rows name entries. A live row that is behind may be right as of its own last entry:
the log is then folded again up to there and on to the entry that changes the row, the first that the live side missed.
Any other wrong row is attributed to the last entry that it names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from msgspec import Struct
from msgspec.structs import replace

from consumers.fold.replay import BATCH_ENTRIES, Scratch, read_parsed, replay
from consumers.rebuild.comparison import Difference, Differences, Row
from events.values.data import Data
from infra.log.reader import read_checked
from infra.postgres.connection import Connection
from infra.postgres.unit_of_work import Table
from infra.settings import Settings

DIFFERENCES_NAMED_MAX: Final = 20
LOOKED_INTO_MAX: Final = 5
"""Rows for which the log is folded again; if they are not enough, the answer is a lower bound."""


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


async def first_difference(
    settings: Settings, connection: Connection, scratch: Scratch, differences: Sequence[Differences]
) -> FirstDifference:
    """The rows that differ first, over all tables of a consumer, and the entry that they differ at."""
    rows = sorted((row for table in differences for row in table.first), key=_order)
    certain: set[tuple[str, str]] = set()
    for _ in range(LOOKED_INTO_MAX):
        first = rows[0]
        name = (first.read_model, repr(first.key))
        if first.live_is_behind and name not in certain:
            certain.add(name)
            rows[0] = replace(first, index=await _missed(settings, connection, scratch, first))
            rows.sort(key=_order)
    first = rows[0]
    event = None if first.index is None else await _event(connection, first.index)
    row = first.read_model, first.key, first.index, first.live, first.rebuilt
    return FirstDifference(scratch.consumer.name, *row, event, tuple(rows[:DIFFERENCES_NAMED_MAX]))


def _order(row: Difference) -> tuple[bool, int, str]:
    return row.index is None, row.index or 0, row.read_model


async def _event(connection: Connection, index: int) -> Data | None:
    for raw in await read_checked(connection, index, 1):
        event: Data = orjson.loads(raw)["event"]
        return event
    return None


async def _missed(settings: Settings, connection: Connection, scratch: Scratch, row: Difference) -> int:
    """The first entry that changes the row from its live value, else the last one that the live row names."""
    assert row.live is not None
    table = next(table for table in scratch.consumer.tables if table.name == row.read_model)
    last: int = row.live["last_index"]
    trial = Scratch(scratch.consumer, f"{scratch.schema}_trial")
    await trial.create(connection, lasting=False)
    try:
        await replay(settings, [(connection, trial)], last + 1)
        if await _row(connection, table, row) != row.live:
            return last
        return await _first_change(connection, trial, table, row)
    finally:
        await trial.drop(connection)


async def _first_change(connection: Connection, trial: Scratch, table: Table[Any], row: Difference) -> int:
    """Fold in steps; a step that changes the row is rolled back and retried in halves."""
    step = BATCH_ENTRIES
    while entries := await read_parsed(connection, trial.position, step):
        before = trial.position
        attempt = connection.transaction()
        await attempt.start()
        await trial.apply(connection, entries)
        if await _row(connection, table, row) == row.live:
            await attempt.commit()
            continue
        if len(entries) == 1:
            await attempt.commit()
            return before
        await attempt.rollback()
        trial.position = before
        step = len(entries) // 2
    return trial.position - 1


async def _row(connection: Connection, table: Table[Any], row: Difference) -> Row | None:
    where = " AND ".join(f"t.{name} = ${i}" for i, name in enumerate(table.key, 1))
    found: Row | None = await connection.fetchval(
        f"SELECT to_jsonb(t) FROM {table.name} t WHERE {where}", *(row.key[name] for name in table.key)
    )
    return found
