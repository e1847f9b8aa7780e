"""The state as of an index without a fold of the whole log: the beginning of its block, and the fold of what follows.

Flows in: the live tables, what their rows were (`replay.fold.past_rows`), and less than a block of entries. Flows
out: a session's own views, named like the live tables, on the rows after exactly so many entries. The entries are
folded in memory by the consumer's own fold; the rows that they change are in one temporary table beside the views.

So the time depends on the length of a block and on the rows that are read, not on the length of the log. Everything
happens in one snapshot, in the caller's transactions, which are rolled back.

SQL for the rows of a consumer's tables as of an index.

The *base* is the state at the beginning of a block, or the live one: the live rows without those that changed since,
and what these were. A view is the base with the rows that a fold changed, which are in the table `changed_row`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from itertools import starmap
from typing import Any, Final

import orjson

from consumers.replay.fold.apply import apply
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.memory import MemoryStore
from consumers.replay.fold.past_rows import (
    BLOCK_ENTRIES,
    block_start,
    copied_columns,
    is_kept,
    key_sql,
    key_text,
    span_end,
)
from consumers.replay.fold.replay import SESSION
from infra.log.ports.read_ahead import parsed_entries
from infra.postgres.connection import Connection
from infra.postgres.row_storage import key_arrays, keys_sql
from infra.postgres.sql import queries
from infra.postgres.unit_of_work import Changes, Key, Table, UnitOfWork

_SQL: Final = queries("consumers.replay.as_of", "past_state.sql")
BLOCKS_MAX: Final = 8
"""Blocks that are folded in memory at most, for a consumer that is behind the index."""


@dataclass(frozen=True, slots=True)
class Base:
    """The state of a consumer after `start` entries, to be folded up to `end`; the live rows are at `position`.

    `with_past` names the tables that have past rows.
    """

    consumer: Consumer
    position: int
    start: int
    end: int
    with_past: frozenset[str]

    @property
    def is_complete(self) -> bool:
        """Whether the live tables have all rows of `end`, so that rows that never change can be read from them."""
        return self.position >= self.end

    def live(self, table: Table[Any]) -> str:
        return f"{self.consumer.schema}.{table.name}"


def is_shown(table: Table[Any]) -> bool:
    """Whether there is a view of it: of what waited at a time, nothing is read."""
    return not table.transient


def base_sql(base: Base, table: Table[Any], *, whole: bool) -> str:
    """SQL for the rows of some keys, given as one array per key column, or of the whole table, at the base."""
    if table.transient and table.name in base.with_past:
        return _rows_that_may_be_gone(base, table, whole=whole)
    if whole:
        return _rows(base, table, f"{base.live(table)} t", "")
    return _rows(base, table, f"{keys_sql(table)} JOIN {base.live(table)} t ON {_same_key(table)}", "")


def view_sql(base: Base, table: Table[Any], *, is_changed: bool) -> str:
    """SQL for all rows at the end. `is_changed`: the session's table `changed_row` has rows of this table."""
    live = base.live(table)
    if is_kept(table):
        changed = f"(SELECT key FROM {SESSION}.changed_row WHERE name = '{table.name}')"
        left = f" AND {key_sql(table, 't')} NOT IN {changed}" if is_changed else ""
        parts = [_rows(base, table, f"{live} t", left)]
    else:
        before = base.end if base.is_complete else base.start
        parts = [f"SELECT {_columns(table, 't')} FROM {live} t WHERE t.{table.since} < {before}"]
    if is_changed:
        rows = f"(SELECT row FROM {SESSION}.changed_row WHERE name = '{table.name}') p"
        made = f"jsonb_populate_record(NULL::{live}, p.row::jsonb) r"
        parts.append(f"SELECT {_columns(table, 'r')} FROM {rows} CROSS JOIN LATERAL {made}")
    return " UNION ALL ".join(parts)


def _rows(base: Base, table: Table[Any], live: str, left: str) -> str:
    """The rows of `live` (`t`) at the base: what the first copy since then has, and the rest of the row itself.

    The first copy is that of the base's span, which has few blocks. A look-up for each key finds that of a later span,
    so that the cost does not depend on how much is kept: the limit keeps it one.
    """
    if table.name not in base.with_past:
        return f"SELECT {_columns(table, 't')} FROM {live} WHERE {_since(base, table, 't')}{left}"
    key = key_sql(table, "t")
    was = {name: _copied(table, name, number) for number, name in enumerate(copied_columns(table))}
    columns = (
        f"CASE WHEN p.found THEN {was[c]} ELSE t.{c} END AS {c}" if c in was else f"t.{c}" for c in table.columns
    )
    return (
        f"SELECT {_columns(table, 'r')} FROM (SELECT {', '.join(columns)} FROM {live}"
        f" LEFT JOIN ({_first_copies(_block_copies(base, table))}) b ON b.key = {key}"
        f" LEFT JOIN LATERAL (SELECT s.key, s.row FROM {base.consumer.schema}.past_span s"
        f" WHERE s.name = '{table.name}' AND s.key = {key} AND s.until >= {span_end(base.start)}"
        f" ORDER BY s.until LIMIT 1) s ON b.key IS NULL"
        f" CROSS JOIN LATERAL (SELECT coalesce(b.key, s.key) IS NOT NULL AS found,"
        f" coalesce(b.row, s.row)::jsonb AS row OFFSET 0) p"
        f" WHERE (p.row IS NOT NULL OR NOT p.found){left}) r WHERE {_since(base, table, 'r')}"
    )


def _rows_that_may_be_gone(base: Base, table: Table[Any], *, whole: bool) -> str:
    """The rows at the base of a transient table, whose copies are whole: few rows, so all copies are read."""
    keys = "" if whole else keys_sql(table)
    spans = (
        f"SELECT s.key, s.row, s.until, 0::bigint AS part FROM {base.consumer.schema}.past_span s"
        f" WHERE s.name = '{table.name}' AND s.until >= {span_end(base.start)}"
    )
    copies = _first_copies(f"{_block_copies(base, table)} UNION ALL {spans}")
    live = f"{base.live(table)} t" if whole else f"{keys} JOIN {base.live(table)} t ON {_same_key(table)}"
    columns = (f"{_copied(table, name, number)} AS {name}" for number, name in enumerate(copied_columns(table)))
    chosen = f"({copies}) c" if whole else f"{keys} JOIN ({copies}) c ON c.key = {key_sql(table, 'k')}"
    return (
        f"SELECT {_columns(table, 't')} FROM {live} WHERE {_since(base, table, 't')}"
        f" AND {key_sql(table, 't')} NOT IN (SELECT key FROM ({copies}) c)"
        f" UNION ALL SELECT {_columns(table, 'r')} FROM (SELECT {', '.join(columns)} FROM"
        f" (SELECT c.row::jsonb AS row FROM {chosen} WHERE c.row IS NOT NULL OFFSET 0) p) r"
        f" WHERE {_since(base, table, 'r')}"
    )


def _same_key(table: Table[Any]) -> str:
    return " AND ".join(f"t.{name} = k.{name}" for name in table.key)


def _columns(table: Table[Any], alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in table.columns)


def _since(base: Base, table: Table[Any], alias: str) -> str:
    """SQL: the row was there at the base, as far as its columns tell."""
    if not base.start:
        return "false"
    return f"{alias}.{table.since} < {base.start}" if table.since else "true"


def _copied(table: Table[Any], column: str, number: int) -> str:
    """SQL for a column of the copy `p`."""
    kind = table.type_of(column)
    return f"nullif(p.row -> {number}, 'null')" if kind == "jsonb" else f"(p.row ->> {number})::{kind}"


def _block_copies(base: Base, table: Table[Any]) -> str:
    """SQL for the copies from the base to the end of its span."""
    return (
        f"SELECT c.key, c.row, b.until, b.part"
        f" FROM {base.consumer.schema}.past_block b, unnest(b.keys, b.rows) AS c (key, row)"
        f" WHERE b.name = '{table.name}' AND b.until >= {base.start} AND b.until < {span_end(base.start)}"
    )


def _first_copies(copies: str) -> str:
    """SQL for the first of `copies` of each key, also of rows that were deleted since."""
    return f"SELECT DISTINCT ON (key) key, row FROM ({copies}) c ORDER BY key, until, part"


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
