"""The hash of a read model in PostgreSQL (`consumers.fold.table_hash`).

For a table with only text, integers and booleans PostgreSQL writes the lines, which is several times faster; its JSON
escapes are those of RFC 8785. `COLLATE "C"` orders text by its bytes.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from asyncpg import Record

from consumers.fold.table_hash import TableHash, row_line
from infra.postgres.connection import Connection
from infra.postgres.unit_of_work import Table

FETCH_ROWS: Final = 4_096
_PYTHON_TYPES: Final = frozenset({"jsonb", "bytea"})
"""Column types whose JSON PostgreSQL would write differently."""


async def table_hash(connection: Connection, table: Table[Any]) -> TableHash:
    """The hash of the table in `search_path`. Call it inside a transaction: rows are read through a cursor."""
    by_database = not _PYTHON_TYPES & set(table.types)
    cursor = await connection.cursor(lines_sql(table) if by_database else rows_sql(table))
    line_of = _text if by_database else _object
    digest, rows = sha256(), 0
    while records := await cursor.fetch(FETCH_ROWS):
        digest.update(b"".join([line_of(record) for record in records]))
        rows += len(records)
    return TableHash(table.name, rows, digest.hexdigest())


def _text(record: Record) -> bytes:
    line: str = record[0]
    return line.encode()


def _object(record: Record) -> bytes:
    return row_line(dict(record.items()))


def rows_sql(table: Table[Any]) -> str:
    """SQL for all rows by primary key."""
    return f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {_key_order(table)}"


def lines_sql(table: Table[Any]) -> str:
    """SQL for all rows as RFC 8785 objects, by primary key."""
    members = [f"""'"{name}":' || coalesce(to_json({name})::text, 'null')""" for name in sorted(table.columns)]
    line = " || ',' || ".join(members)
    return f"SELECT '{{' || {line} || E'}}\\n' FROM {table.name} ORDER BY {_key_order(table)}"


def _key_order(table: Table[Any]) -> str:
    kinds = dict(zip(table.columns, table.types, strict=True))
    return ", ".join(f'{name} COLLATE "C"' if kinds[name] == "text" else name for name in table.key)
