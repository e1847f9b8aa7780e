"""Loads the rows of a unit of work from PostgreSQL and saves its changes, by sets: one statement for each table.

Table names have no schema: `search_path` selects the live tables or those of a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, Final

import orjson

from infra.postgres.connection import Connection
from infra.postgres.unit_of_work import Changes, Key, Need, Table, UnitOfWork

COPY_ROWS_MIN: Final = 32
"""From this number of new rows on, `COPY` is quicker than the statement that inserts or replaces."""


async def load(connection: Connection, rows: UnitOfWork, required_keys: Iterable[Need]) -> None:
    """Load the rows of these keys that are missing: one statement per table."""
    for table, keys in rows.missing(required_keys).items():
        await _read(connection, rows, table, keys)


async def save(connection: Connection, rows: UnitOfWork) -> None:
    """Save the changes: at most one statement per table and kind of change."""
    for changes in rows.changes():
        await _write(connection, changes)


async def _read(connection: Connection, rows: UnitOfWork, table: Table[Any], keys: list[Key] | None) -> None:
    """Load the rows of `keys`, or of the whole table."""
    if keys is None:
        records = await connection.fetch(_load_all_sql(table))
    else:
        records = await connection.fetch(_load_sql(table), *map(list, zip(*keys, strict=True)))
    make = table.row
    rows.adopt(table, (make(*record) for record in records), whole=keys is None)


async def _write(connection: Connection, changes: Changes) -> None:
    table = changes.table
    if changes.deleted:
        await connection.execute(_delete_sql(table), *map(list, zip(*changes.deleted, strict=True)))
    copied = len(changes.new) >= COPY_ROWS_MIN
    upserted = changes.changed if copied else changes.changed + changes.new
    if upserted:
        columns = (_column(table, number, upserted) for number in range(len(table.columns)))
        await connection.execute(_save_sql(table), *columns)
    for rows in (changes.new if copied else [], changes.appended):
        if rows:
            await connection.copy_records_to_table(
                table.name,
                records=map(attrgetter(*table.columns), rows),
                columns=list(table.columns),
            )


def _column(table: Table[Any], number: int, rows: list[Any]) -> list[Any]:
    """One column of `rows` as an array; jsonb as text, since the driver would take lists for further dimensions."""
    values = map(attrgetter(table.columns[number]), rows)
    if table.types[number] == "jsonb":
        return [None if value is None else orjson.dumps(value).decode() for value in values]
    return list(values)


def _load_sql(table: Table[Any]) -> str:
    """Selects the rows of the keys, given as one array per key column."""
    on = " AND ".join(f"t.{k} = k.{k}" for k in table.key)
    columns = ", ".join(f"t.{c}" for c in table.columns)
    return f"SELECT {columns} FROM {keys_sql(table)} JOIN {table.name} t ON {on}"


def keys_sql(table: Table[Any]) -> str:
    """SQL for the keys as rows of `k`, given as one array per key column."""
    arrays = ", ".join(f"${i}::{t}[]" for i, t in enumerate(table.key_types, 1))
    return f"unnest({arrays}) AS k({', '.join(table.key)})"


def _load_all_sql(table: Table[Any]) -> str:
    return f"SELECT {', '.join(table.columns)} FROM {table.name}"


def _save_sql(table: Table[Any]) -> str:
    """Inserts or replaces rows, given as one array per column; jsonb as text, see `_column`."""
    arrays = ", ".join(f"${i}::{'text' if t == 'jsonb' else t}[]" for i, t in enumerate(table.types, 1))
    columns = ", ".join(table.columns)
    values = ", ".join(c + "::jsonb" if t == "jsonb" else c for c, t in zip(table.columns, table.types, strict=True))
    rest = [c for c in table.columns if c not in table.key]
    update = ", ".join(f"{c} = excluded.{c}" for c in rest)
    conflict = f"ON CONFLICT ({', '.join(table.key)}) DO " + (f"UPDATE SET {update}" if rest else "NOTHING")
    return f"INSERT INTO {table.name} ({columns}) SELECT {values} FROM unnest({arrays}) AS r({columns}) {conflict}"


def _delete_sql(table: Table[Any]) -> str:
    arrays = ", ".join(f"${i}::{t}[]" for i, t in enumerate(table.key_types, 1))
    on = " AND ".join(f"t.{k} = k.{k}" for k in table.key)
    return f"DELETE FROM {table.name} t USING unnest({arrays}) AS k({', '.join(table.key)}) WHERE {on}"
