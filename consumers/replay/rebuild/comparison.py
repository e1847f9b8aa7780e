"""Compares live tables with rebuilt ones row by row: set-based, every column, and the entry of the first difference.

A read model has no history, so the diverging entry is derived from the indexes in the differing rows.

The hash of a read model in PostgreSQL (`consumers.replay.fold.table_hash`).

Finds the entry at which the live tables diverge, and its event.

A read model has no history, but its rows name entries. A live row that is behind may be right as of its own last entry:
the log is then folded again up to there and on to the entry that changes the row, the first that the live side missed.
Any other wrong row is attributed to the last entry that it names.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson
from msgspec import Struct
from msgspec.structs import replace

from consumers.replay.fold.apply import load
from consumers.replay.fold.memory import WatchedUnitOfWork
from consumers.replay.fold.replay import Scratch, replay
from consumers.replay.fold.table_hash import FETCH_ROWS, RowHasher, TableHash, canonical_json
from events.values.data import Data
from infra.log.ports.read_ahead import parsed_entries
from infra.log.reader import read_checked
from infra.postgres.connection import Connection
from infra.postgres.unit_of_work import Table
from infra.settings import Settings

ROWS_NAMED_MAX: Final = 20
"""Differing rows listed per table; the rest are only counted."""


Row = dict[str, Any]
"""A row of any read model as PostgreSQL writes it as JSON, or its key."""
DIFFERENCES_NAMED_MAX: Final = 20
LOOKED_INTO_MAX: Final = 5
"""Rows for which the log is folded again; if they are not enough, the answer is a lower bound."""
WATCHED_ENTRIES: Final = 512
"""Entries of a batch that is folded one by one."""


async def table_hash(connection: Connection, table: Table[Any]) -> TableHash:
    """The hash of the table in `search_path`. Call it inside a transaction: rows are read through a cursor."""
    hasher = RowHasher(table, canonical_json)
    cursor = await connection.cursor(hashed_rows_sql(table, table.name))
    while records := await cursor.fetch(FETCH_ROWS):
        hasher.add(records)
    return hasher.hash()


def hashed_rows_sql(table: Table[Any], source: str) -> str:
    """SQL for all rows of `source`, a table or a query, as `RowHasher` takes them, by primary key."""
    return f"SELECT {', '.join(sorted(table.columns))} FROM {source} ORDER BY {key_order(table)}"


def key_order(table: Table[Any]) -> str:
    """The order of a read model's rows. `COLLATE "C"` orders text by its bytes."""
    return ", ".join(
        f'{name} COLLATE "C"' if kind == "text" else name for name, kind in zip(table.key, table.key_types, strict=True)
    )


class Difference(Struct, frozen=True):
    """A row that differs. `live` or `rebuilt` is None if that side lacks the row.

    `index` is the first entry that may have been applied differently: the one that created the row, if a side lacks it;
    the one after the live row's last, if the live row is behind; one that only one side names; else the last one that
    the live row names. None if the row names no entry.
    """

    read_model: str
    key: Row
    index: int | None
    live: Row | None
    rebuilt: Row | None

    @property
    def live_is_behind(self) -> bool:
        """Whether the live row's last entry comes before the rebuilt one's, so that it may have missed one."""
        if self.live is None or self.rebuilt is None:
            return False
        return bool((self.live.get("last_index") or 0) < (self.rebuilt.get("last_index") or 0))


@dataclass(frozen=True, slots=True)
class Differences:
    """The number of differing rows of a table, and the first of them."""

    table: str
    count: int
    first: tuple[Difference, ...]


async def compare(connection: Connection, table: Table[Any], live: str, rebuilt: str) -> Differences:
    """Compare one table in two schemas, within the caller's transaction."""
    records = await connection.fetch(comparison_sql(table, live, rebuilt))
    first = tuple(
        Difference(
            table.name,
            {name: record[f"key_{name}"] for name in table.key},
            record["diverges_at"],
            record["live"],
            record["rebuilt"],
        )
        for record in records
    )
    return Differences(table.name, records[0]["differing"] if records else 0, first)


def comparison_sql(table: Table[Any], live: str, rebuilt: str) -> str:
    """SQL for the rows on one side only or with any different column, lowest entry first."""
    key, rest = table.key, [c for c in table.columns if c not in table.key]
    joined = " AND ".join(f"a.{name} = b.{name}" for name in key)
    absent = f"(a.{key[0]} IS NULL OR b.{key[0]} IS NULL)"
    differing = f" OR ({_row_sql('a', rest)}) IS DISTINCT FROM ({_row_sql('b', rest)})" if rest else ""
    keys = ", ".join(f"coalesce(a.{name}, b.{name}) AS key_{name}" for name in key)
    return f"""
SELECT {keys}, {_diverges_at(table)} AS diverges_at, count(*) OVER () AS differing,
       CASE WHEN a.{key[0]} IS NOT NULL THEN to_jsonb(a) END AS live,
       CASE WHEN b.{key[0]} IS NOT NULL THEN to_jsonb(b) END AS rebuilt
FROM {live}.{table.name} a FULL JOIN {rebuilt}.{table.name} b ON {joined}
WHERE {absent}{differing}
ORDER BY diverges_at NULLS LAST, {", ".join(f"key_{name}" for name in key)}
LIMIT {ROWS_NAMED_MAX}
"""


def _row_sql(side: str, columns: list[str]) -> str:
    return f"ROW({', '.join(f'{side}.{name}' for name in columns)})"


def index_columns(table: Table[Any]) -> list[str]:
    """The columns with log indexes."""
    return [name for name in table.columns if name == "index" or name.endswith("_index")]


def _diverges_at(table: Table[Any]) -> str:
    """SQL for `Difference.index`."""
    columns = index_columns(table)
    if not columns:
        return "NULL::bigint"
    first = table.key[0]
    either = ", ".join(f"{side}.{name}" for side in "ab" for name in columns)
    return f"CASE WHEN a.{first} IS NULL OR b.{first} IS NULL THEN least({either}) ELSE {_both_differ(columns)} END"


def _both_differ(columns: list[str]) -> str:
    """SQL for `Difference.index` of a row that both sides have."""
    named = f"greatest({', '.join(f'a.{name}' for name in columns)})"
    if "last_index" in columns:
        return f"CASE WHEN a.last_index < b.last_index THEN a.last_index + 1 ELSE {named} END"
    one_sided = (f"CASE WHEN a.{n} IS DISTINCT FROM b.{n} THEN least(a.{n}, b.{n}) END" for n in columns)
    return f"coalesce(least({', '.join(one_sided)}), {named})"


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
