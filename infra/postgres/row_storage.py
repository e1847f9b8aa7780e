"""Loads the rows of a unit of work from PostgreSQL and saves its changes, by sets: one statement for each table.

Table names have no schema: `search_path` selects the live tables or those of a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
        arrays = _arrays(table.key_types, zip(*keys, strict=True))
        records = await connection.fetch(_load_sql(table), *arrays)
    make = table.row
    rows.adopt(table, (make(*record) for record in records), whole=keys is None)


async def _write(connection: Connection, changes: Changes) -> None:
    table = changes.table
    if changes.deleted:
        await connection.execute(_delete_sql(table), *_arrays(table.key_types, zip(*changes.deleted, strict=True)))
    copied = len(changes.new) >= COPY_ROWS_MIN
    upserted = changes.changed if copied else changes.changed + changes.new
    if upserted:
        columns = (map(attrgetter(name), upserted) for name in table.columns)
        await connection.execute(_save_sql(table), *_arrays(table.types, columns))
    for rows in (changes.new if copied else [], changes.appended):
        if rows:
            await connection.copy_records_to_table(
                table.name,
                records=map(attrgetter(*table.columns), rows),
                columns=list(table.columns),
            )


def _arrays(types: Sequence[str], columns: Iterable[Iterable[Any]]) -> Iterator[list[Any] | str]:
    """Columns as arguments of `_unnest`."""
    return (list(c) if t == "bytea" else _array_text(c, t) for t, c in zip(types, columns, strict=True))


def _array_text(values: Iterable[Any], kind: str) -> str:
    """An array in PostgreSQL's own notation. Given a list, the driver asks of each value whether it is an array itself,
    which takes longer than the rest of its work.
    """
    row = (
        [None if value is None else orjson.dumps(value).decode() for value in values] if kind == "jsonb" else [*values]
    )
    text = orjson.dumps(row).decode()[1:-1]
    if "\\" in text:  # JSON has escapes that an array has not
        text = ",".join(map(_element, row))
    return f"{{{text}}}"


def _element(value: str | None) -> str:
    if value is None:
        return "NULL"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _unnest(types: Sequence[str]) -> str:
    """Rows of the arrays that are given, one for each column. jsonb stays text: `_save_sql` converts it."""
    return ", ".join(
        f"${n}::bytea[]" if t == "bytea" else f"${n}::text::{'text' if t == 'jsonb' else t}[]"
        for n, t in enumerate(types, 1)
    )


def _load_sql(table: Table[Any]) -> str:
    """Selects the rows of the keys, given as one array per key column."""
    arrays = _unnest(table.key_types)
    on = " AND ".join(f"t.{k} = k.{k}" for k in table.key)
    columns = ", ".join(f"t.{c}" for c in table.columns)
    return f"SELECT {columns} FROM unnest({arrays}) AS k({', '.join(table.key)}) JOIN {table.name} t ON {on}"


def _load_all_sql(table: Table[Any]) -> str:
    return f"SELECT {', '.join(table.columns)} FROM {table.name}"


def _save_sql(table: Table[Any]) -> str:
    """Inserts or replaces rows, given as one array per column."""
    arrays = _unnest(table.types)
    columns = ", ".join(table.columns)
    values = ", ".join(c + "::jsonb" if t == "jsonb" else c for c, t in zip(table.columns, table.types, strict=True))
    rest = [c for c in table.columns if c not in table.key]
    update = ", ".join(f"{c} = excluded.{c}" for c in rest)
    conflict = f"ON CONFLICT ({', '.join(table.key)}) DO " + (f"UPDATE SET {update}" if rest else "NOTHING")
    return f"INSERT INTO {table.name} ({columns}) SELECT {values} FROM unnest({arrays}) AS r({columns}) {conflict}"


def _delete_sql(table: Table[Any]) -> str:
    arrays = _unnest(table.key_types)
    on = " AND ".join(f"t.{k} = k.{k}" for k in table.key)
    return f"DELETE FROM {table.name} t USING unnest({arrays}) AS k({', '.join(table.key)}) WHERE {on}"
