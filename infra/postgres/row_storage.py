"""Loads the rows of a unit of work from PostgreSQL and saves its changes, by sets: one statement for each table.

Table names have no schema: `search_path` selects the live tables or those of a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import starmap
from operator import attrgetter
from typing import Any, Final

import orjson

from events.errors import Halt
from infra.postgres.connection import Connection
from infra.postgres.unit_of_work import Changes, Key, Need, Table, UnitOfWork

COPY_ROWS_MIN: Final = 32
"""From this number of new rows on, `COPY` is quicker than a statement that inserts."""


class LostRows(Halt):
    """Rows were deleted between being read and being changed. Nothing was written: find out who writes to this table,
    then compare it with a rebuild (`yesser rebuild --compare`)."""


async def load(connection: Connection, rows: UnitOfWork, required_keys: Iterable[Need]) -> None:
    """Load the rows of these keys that are missing: one statement per table."""
    for table, keys in rows.missing(required_keys).items():
        rows.adopt(table, await read(connection, table, keys), whole=keys is None)


async def read(connection: Connection, table: Table[Any], keys: list[Key] | None) -> Iterator[Any]:
    """The rows of these keys; None: of the whole table."""
    if keys is None:
        records = await connection.fetch(_load_all_sql(table))
    else:
        records = await connection.fetch(_load_sql(table), *key_arrays(table, keys))
    return starmap(table.row, records)


async def save(connection: Connection, rows: UnitOfWork) -> None:
    """Save the changes: at most one statement per table and kind of change."""
    for changes in rows.changes():
        await _write(connection, changes)


async def _write(connection: Connection, changes: Changes) -> None:
    table = changes.table
    if changes.deleted:
        await connection.execute(_delete_sql(table), *key_arrays(table, changes.deleted))
    if changes.changed and table.changing:
        arrays = _columns(table, (*table.key, *table.changing), changes.changed)
        if await connection.execute(_update_sql(table), *arrays) != f"UPDATE {len(changes.changed)}":
            raise LostRows(f"{table.name}: {LostRows.__doc__}")
    if changes.unread:
        await connection.execute(_replace_sql(table), *_columns(table, table.columns, changes.unread))
    for rows in (changes.new, changes.appended):
        if 0 < len(rows) < COPY_ROWS_MIN:
            await connection.execute(_insert_sql(table), *_columns(table, table.columns, rows))
        elif rows:
            await connection.copy_records_to_table(
                table.name,
                records=map(attrgetter(*table.columns), rows),
                columns=list(table.columns),
            )


def _columns(table: Table[Any], names: Sequence[str], rows: Sequence[Any]) -> Iterator[list[Any] | str]:
    return _arrays(map(table.type_of, names), (map(attrgetter(name), rows) for name in names))


def text_array(values: Iterable[str]) -> str:
    """Texts as an argument that is cast to `text[]`."""
    return _array_text(values, "text")


def json_array(values: Sequence[str | None]) -> str:
    """The same of JSON texts: they have no control characters, so a JSON string has the escapes of an array."""
    return f"{{{orjson.dumps(values).decode()[1:-1]}}}"


def _arrays(types: Iterable[str], columns: Iterable[Iterable[Any]]) -> Iterator[list[Any] | str]:
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


def _unnest(types: Iterable[str]) -> str:
    """Rows of the arrays that are given, one for each column. jsonb stays text: see `_value`."""
    return ", ".join(
        f"${n}::bytea[]" if t == "bytea" else f"${n}::text::{'text' if t == 'jsonb' else t}[]"
        for n, t in enumerate(types, 1)
    )


@cache
def _load_sql(table: Table[Any]) -> str:
    """Selects the rows of the keys, given as one array per key column."""
    on = " AND ".join(f"t.{k} = k.{k}" for k in table.key)
    columns = ", ".join(f"t.{c}" for c in table.columns)
    return f"SELECT {columns} FROM {keys_sql(table)} JOIN {table.name} t ON {on}"


def key_arrays(table: Table[Any], keys: Iterable[Key]) -> Iterator[list[Any] | str]:
    """Keys as the arguments of `keys_sql`."""
    return _arrays(table.key_types, zip(*keys, strict=True))


def keys_sql(table: Table[Any]) -> str:
    """SQL for the keys as rows of `k`, given as one array per key column (`key_arrays`)."""
    return f"unnest({_unnest(table.key_types)}) AS k({', '.join(table.key)})"


@cache
def _load_all_sql(table: Table[Any]) -> str:
    return f"SELECT {', '.join(table.columns)} FROM {table.name}"


def _value(table: Table[Any], column: str) -> str:
    return f"r.{column}::jsonb" if table.type_of(column) == "jsonb" else f"r.{column}"


@cache
def _update_sql(table: Table[Any]) -> str:
    """Changes stored rows, given as one array for each column of the key, then for each that changes."""
    names = (*table.key, *table.changing)
    values = ", ".join(f"{c} = {_value(table, c)}" for c in table.changing)
    on = " AND ".join(f"t.{k} = r.{k}" for k in table.key)
    rows = f"unnest({_unnest(map(table.type_of, names))}) AS r({', '.join(names)})"
    return f"UPDATE {table.name} t SET {values} FROM {rows} WHERE {on}"


@cache
def _insert_sql(table: Table[Any]) -> str:
    """Inserts rows, given as one array per column."""
    columns = ", ".join(table.columns)
    values = ", ".join(_value(table, c) for c in table.columns)
    rows = f"unnest({_unnest(table.types)}) AS r({columns})"
    return f"INSERT INTO {table.name} ({columns}) SELECT {values} FROM {rows}"


@cache
def _replace_sql(table: Table[Any]) -> str:
    """Inserts or replaces rows, given as one array per column."""
    update = ", ".join(f"{c} = excluded.{c}" for c in table.columns if c not in table.key)
    conflict = f"ON CONFLICT ({', '.join(table.key)}) DO " + (f"UPDATE SET {update}" if update else "NOTHING")
    return f"{_insert_sql(table)} {conflict}"


@cache
def _delete_sql(table: Table[Any]) -> str:
    arrays = _unnest(table.key_types)
    on = " AND ".join(f"t.{k} = k.{k}" for k in table.key)
    return f"DELETE FROM {table.name} t USING unnest({arrays}) AS k({', '.join(table.key)}) WHERE {on}"
