"""The state as of an index without a fold of the whole log: the beginning of its block, and the fold of what follows.

Flows in: the live tables, what their rows were (`replay.fold.past_rows`), and less than a block of entries. Flows
out: a session's own views, named like the live tables, on the rows after exactly so many entries. The entries are
folded in memory by the consumer's own fold; the rows that they change are in one temporary table beside the views.

So the time depends on the length of a block and on the rows that are read, not on the length of the log. Everything
happens in one snapshot, in the caller's transactions, which are rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from itertools import starmap
from typing import Any, Final

import orjson

from consumers.replay.as_of.past_sql import Base, base_sql, is_shown, view_sql
from consumers.replay.fold.apply import apply
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.memory import MemoryStore
from consumers.replay.fold.past_rows import BLOCK_ENTRIES, block_start, is_kept, key_text
from consumers.replay.fold.replay import SESSION
from infra.log.ports.read_ahead import parsed_entries
from infra.postgres.connection import Connection
from infra.postgres.row_storage import key_arrays
from infra.postgres.sql import queries
from infra.postgres.unit_of_work import Changes, Key, Table, UnitOfWork

_SQL: Final = queries("consumers.replay.as_of", "past_state.sql")
BLOCKS_MAX: Final = 8
"""Blocks that are folded in memory at most, for a consumer that is behind the index."""


async def can_show(connection: Connection, consumers: Sequence[Consumer]) -> bool:
    """Whether earlier states of these consumers can be read from their tables. Ask before the transaction begins."""
    if not all(consumer.shows_past for consumer in consumers):
        return False
    schemas = sorted({consumer.schema for consumer in consumers})
    exist: bool = await connection.fetchval(_SQL["schemas_exist"], schemas)
    return exist


async def lock_tables(connection: Connection, consumers: Sequence[Consumer]) -> None:
    """Before the snapshot, which would see nothing of tables that a rebuild swaps in later."""
    names = [f"{consumer.schema}.{table.name}" for consumer in consumers for table in consumer.stored_tables]
    await connection.execute(f"LOCK TABLE {', '.join(names)} IN ACCESS SHARE MODE")


async def make_views(
    connection: Connection, consumers: Sequence[Consumer], index: int, sessions: Mapping[str, Connection]
) -> bool:
    """Make views of each consumer's tables after `index` entries in its session (by name), all in one snapshot that has
    the tables locked.

    False, with nothing made, where some rows are of another version of the fold, or too far behind. Tables whose rows
    do not show their age are left out.
    """
    bases = await _bases(connection, consumers, index)
    if bases is None:
        return False
    for base, rows in await folded(connection, bases, index):
        await _create_views(sessions[base.consumer.name], base, rows)
    return True


async def _bases(connection: Connection, consumers: Sequence[Consumer], index: int) -> list[Base] | None:
    positions = {row["consumer"]: row for row in await connection.fetch(_SQL["positions"])}
    bases = []
    for consumer in consumers:
        row, version = positions.get(consumer.name), consumer.rows_version
        if row is None or (row["rules_version"], row["fold_sha256"]) != (version.number, version.sha256):
            return None
        position: int = row["position"]
        start = block_start(index) if index <= position else position
        if index - start > BLOCKS_MAX * BLOCK_ENTRIES:
            return None
        past = await _tables_with_past(connection, consumer) if start < position else frozenset()
        bases.append(Base(consumer, position, start, index, past))
    return bases


async def _tables_with_past(connection: Connection, consumer: Consumer) -> frozenset[str]:
    """The names of the tables that have past rows."""
    if not consumer.keeps_past:
        return frozenset()
    names = [table.name for table in consumer.tables if is_kept(table)]
    sql = _SQL["with_past"].format(schema=consumer.schema)
    return frozenset(name for (name,) in await connection.fetch(sql, names))


async def folded(connection: Connection, bases: Sequence[Base], end: int) -> list[tuple[Base, UnitOfWork]]:
    """Each base, and its rows after the fold of the entries from there to `end`, as far as they change."""
    stores = [(base, MemoryStore(partial(_read_at, connection, base))) for base in bases]
    async with aclosing(parsed_entries(connection, min(base.start for base in bases), end)) as batches:
        async for entries in batches:
            for base, store in stores:
                await apply(store, base.consumer, entries[max(0, base.start - entries[0].index) :])
    return [(base, store.rows) for base, store in stores]


async def _read_at(connection: Connection, base: Base, table: Table[Any], keys: list[Key] | None) -> Iterable[Any]:
    """The rows of these keys as they are at the base."""
    arguments = [] if keys is None else key_arrays(table, keys)
    return starmap(table.row, await connection.fetch(base_sql(base, table, whole=keys is None), *arguments))


async def _create_views(connection: Connection, base: Base, rows: UnitOfWork) -> None:
    """Rows that never change are read from the live tables if these are far enough."""
    changes = [c for c in rows.changes() if is_shown(c.table) and (is_kept(c.table) or not base.is_complete)]
    changed = {change.table.name for change in changes}
    await connection.execute(_SQL["create"])
    await connection.copy_records_to_table(
        "changed_row", schema_name=SESSION, records=[row for change in changes for row in _records(change)]
    )
    views = [
        f"CREATE TEMPORARY VIEW {table.name} AS {view_sql(base, table, is_changed=table.name in changed)}"
        for table in filter(is_shown, base.consumer.tables)
    ]
    await connection.execute(";\n".join(views))


def changed_rows(rows: UnitOfWork, table: Table[Any]) -> dict[str, str | None]:
    """The rows of a table that the fold changed, as JSON by key; None for a deleted one."""
    by_key: dict[str, str | None] = {}
    for changes in rows.changes():
        if changes.table is table:
            by_key = dict.fromkeys(map(key_text, changes.deleted)) | {key: row for _, key, row in _records(changes)}
    return by_key


def _records(changes: Changes) -> Iterator[tuple[str, str, str]]:
    """Nothing stands for a deleted row: only facts that wait are deleted, and nobody reads these in the past."""
    table = changes.table
    for row in (*changes.changed, *changes.unread, *changes.new, *changes.appended):
        yield table.name, key_text(table.key_of(row)), orjson.dumps(row).decode()
