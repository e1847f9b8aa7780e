"""The hash of a read model as of the beginning of a block, read in short transactions while the consumers go on.

Flows in: the live rows, and what they were (`consumers.as_of.past_sql`). Flows out: the hash of the rows after exactly
so many entries. Since rows of that index can be read at any later time, no snapshot spans the whole table: each chunk
has its own, so that a commitment never holds back vacuum for longer than one chunk takes. PostgreSQL enforces
`SNAPSHOT_MS_MAX`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from consumers.as_of.past_sql import Base, base_sql
from consumers.fold.consumer import Consumer
from consumers.fold.table_hash import TableHash
from consumers.rebuild.table_hash import RowHasher, key_order
from infra.postgres.connection import Connection
from infra.postgres.row_storage import key_arrays
from infra.postgres.unit_of_work import Key, Table

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


async def hash_at(connection: Connection, base: Base, table: Table[Any], rest_per_work: float) -> TableHash:
    """The hash of the rows of `table` at the base. A transient table is read at once: it has few rows.

    Each second of work has `rest_per_work` seconds of rest.
    """
    hasher = RowHasher(table)
    if table.transient:
        async with snapshot(connection, base.consumer):
            hasher.add(await connection.fetch(hasher.sql(f"({base_sql(base, table, whole=True)}) AS r")))
        return hasher.hash()
    rows_sql = hasher.sql(f"({base_sql(base, table, whole=False)}) AS r")
    after: Key = ()
    limit = CHUNK_ROWS
    while True:
        began = time.monotonic()
        async with snapshot(connection, base.consumer):
            keys = await connection.fetch(_keys_sql(table, first=not after), limit, *after)
            if not keys:
                return hasher.hash()
            hasher.add(await connection.fetch(rows_sql, *key_arrays(table, keys)))
        after = tuple(keys[-1])
        took_s = time.monotonic() - began
        limit = next_limit(limit, took_s)
        await asyncio.sleep(rest_per_work * took_s)


def next_limit(limit: int, took_s: float) -> int:
    """Rows of the next chunk, after one of `limit` rows that took so long."""
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
