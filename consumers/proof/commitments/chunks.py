"""The hash of a read model as of an index, read in short transactions while the consumers go on.

Flows in: the live rows, what they were (`replay.as_of.past_sql`), and less than a block of entries. Flows out: the
hash of the rows after exactly so many entries. Since rows of that index can be read at any later time, no snapshot
spans the whole table: each chunk has its own, so that a commitment never holds back vacuum for longer than one chunk
takes. PostgreSQL enforces `SNAPSHOT_MS_MAX`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from asyncpg import Record

from consumers.replay.as_of.past_state import Base, base_sql, changed_rows, folded
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.past_rows import block_start, is_kept, key_sql, key_text
from consumers.replay.fold.table_hash import RowHasher, TableHash, canonical_json
from consumers.replay.rebuild.comparison import hashed_rows_sql, key_order
from infra.postgres.connection import Connection
from infra.postgres.row_storage import key_arrays
from infra.postgres.sql import queries
from infra.postgres.unit_of_work import Key, Table, UnitOfWork

_SQL: Final = queries("consumers.proof.commitments", "commit.sql")
SNAPSHOT_MS_MAX: Final = 15_000
"""Longest transaction of a commitment: PostgreSQL ends the session of a longer one."""
CHUNK_ROWS: Final = 4_096
CHUNK_ROWS_MAX: Final = 65_536
CHUNK_S: Final = 0.05
"""A chunk is made half as large as the last one that took longer, and twice as large after one that took a quarter."""


@asynccontextmanager
async def snapshot(connection: Connection, consumer: Consumer) -> AsyncIterator[None]:
    """A transaction of limited length. The tables are locked before its snapshot, so that no rebuild swaps them."""
    async with connection.transaction(isolation="repeatable_read"):
        await connection.execute(
            f"SET LOCAL transaction_timeout = {SNAPSHOT_MS_MAX}; SET LOCAL search_path = {consumer.schema};"
            f"LOCK TABLE {', '.join(table.name for table in consumer.stored_tables)} IN ACCESS SHARE MODE"
        )
        yield


class RowsAt:
    """The rows of a consumer after exactly `index` entries. Each read is in a `snapshot` of the caller."""

    def __init__(self, consumer: Consumer, index: int) -> None:
        self.consumer = consumer
        self._index = index
        self._folded: UnitOfWork | None = None
        self._changes: dict[Table[Any], Mapping[str, str | None]] = {}

    async def after(self, connection: Connection, table: Table[Any], key: Key, limit: int) -> tuple[list[Record], Key]:
        """Some of the rows after `key`, and the key that they end at; `()` at the end.

        Rows that their entry's index is the key of, and that never change, are found by it: a limit of rows would let a
        view pass over any number that it does not show.
        """
        if table.append_only and table.since == table.key[0]:
            first: int = key[0] if key else 0
            end = min(first + limit, self._index)
            made = f"(SELECT * FROM {table.name} WHERE {table.since} >= $1 AND {table.since} < $2) AS r"
            return await connection.fetch(hashed_rows_sql(table, made), first, end), (end,) if end < self._index else ()
        keys = [tuple(found) for found in await connection.fetch(_keys_sql(table, first=not key), limit, *key)]
        return (await self.read(connection, table, keys), keys[-1]) if keys else ([], ())

    async def read(self, connection: Connection, table: Table[Any], keys: Sequence[Key] | None) -> list[Record]:
        """The rows of these keys, or of the whole table, as they are hashed.

        While the consumer has applied exactly these entries they are the live rows, so that one that was changed shows.
        Once it has gone on, they are those at the beginning of the block and the fold of what follows.
        """
        base = await self._base(connection)
        changed: Mapping[str, str | None] = {}
        if base.start < base.end:
            if not is_kept(table):
                base = replace(base, start=base.end)  # its rows never change, and show their age
            else:
                changed = await self._changed(connection, base, table)
        arguments: list[Any] = [] if keys is None else [*key_arrays(table, keys)]
        source = base_sql(base, table, whole=keys is None)
        if keys is not None:
            changed = {key: changed[key] for key in map(key_text, keys) if key in changed}
        if changed:
            source = _with_changes(base, table, source, len(arguments) + 1)
            arguments += [[*changed], [row for row in changed.values() if row is not None]]
        return await connection.fetch(hashed_rows_sql(table, f"({source}) AS r"), *arguments)

    async def _base(self, connection: Connection) -> Base:
        position = await connection.fetchval(_SQL["position"], self.consumer.name)
        if position == self._index:
            return Base(self.consumer, position, position, position, frozenset())
        # Rows may change for the first time while they are read, so each table may have past rows.
        past = frozenset(table.name for table in self.consumer.tables if is_kept(table))
        return Base(self.consumer, position, block_start(self._index), self._index, past)

    async def _changed(self, connection: Connection, base: Base, table: Table[Any]) -> Mapping[str, str | None]:
        if self._folded is None:
            ((_, self._folded),) = await folded(connection, [base], base.end)
        if table not in self._changes:
            self._changes[table] = changed_rows(self._folded, table)
        return self._changes[table]


def _with_changes(base: Base, table: Table[Any], source: str, number: int) -> str:
    """SQL for the rows of `source` without those of the keys `$number`, and the rows `$number + 1`, given as JSON."""
    columns = ", ".join(table.columns)
    return (
        f"SELECT {columns} FROM ({source}) b WHERE {key_sql(table, 'b')} <> ALL(${number}::text[]) UNION ALL"
        f" SELECT {', '.join(f'c.{name}' for name in table.columns)} FROM unnest(${number + 1}::text[]) AS p (row)"
        f" CROSS JOIN LATERAL jsonb_populate_record(NULL::{base.live(table)}, p.row::jsonb) c"
    )


async def hash_at(connection: Connection, rows: RowsAt, table: Table[Any], rest_per_work: float) -> TableHash:
    """The hash of these rows of `table`. A transient table is read at once: it has few rows.

    Each second of work has `rest_per_work` seconds of rest.
    """
    hasher = RowHasher(table, canonical_json)
    if table.transient:
        async with snapshot(connection, rows.consumer):
            hasher.add(await rows.read(connection, table, None))
        return hasher.hash()
    after: Key = ()
    limit = CHUNK_ROWS
    while True:
        began = time.monotonic()
        async with snapshot(connection, rows.consumer):
            records, after = await rows.after(connection, table, after, limit)
            hasher.add(records)
        if not after:
            return hasher.hash()
        took_s = time.monotonic() - began
        limit = next_limit(limit, took_s)
        await asyncio.sleep(rest_per_work * took_s)


def next_limit(limit: int, took_s: float) -> int:
    """Rows or entries of the next chunk, after one of so many that took so long."""
    if took_s > CHUNK_S:
        return max(1, limit // 2)
    return min(CHUNK_ROWS_MAX, 2 * limit) if took_s < CHUNK_S / 4 else limit


def _keys_sql(table: Table[Any], *, first: bool) -> str:
    """SQL for the next keys in the order of the hash."""
    names: Sequence[str] = table.key
    order = key_order(table)
    later = ", ".join(f"${number}" for number in range(2, len(names) + 2))
    where = "" if first else f" WHERE ({order}) > ({later})"
    return f"SELECT {', '.join(names)} FROM {table.name}{where} ORDER BY {order} LIMIT $1"
