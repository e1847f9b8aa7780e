"""The hash of a read model in PostgreSQL (`consumers.fold.table_hash`).

For a table with only text, integers and booleans PostgreSQL writes the lines, which is several times faster; its JSON
escapes are those of RFC 8785. `COLLATE "C"` orders text by its bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from asyncpg import Record

from consumers.fold.table_hash import TableHash, row_line
from infra.postgres.connection import Connection
from infra.postgres.unit_of_work import Table

FETCH_ROWS: Final = 4_096
_PYTHON_TYPES: Final = frozenset({"jsonb", "bytea"})
"""Column types whose JSON PostgreSQL would write differently."""


class RowHasher:
    """Hashes rows as they come, by primary key."""

    def __init__(self, table: Table[Any]) -> None:
        self._table = table
        self._by_database = not _PYTHON_TYPES & set(table.types)
        self._digest = sha256()
        self._rows = 0

    def sql(self, source: str) -> str:
        """SQL for what `add` takes: the rows of `source`, a table or a query, by primary key."""
        return lines_sql(self._table, source) if self._by_database else rows_sql(self._table, source)

    def add(self, records: Sequence[Record]) -> None:
        line_of = _text if self._by_database else _object
        self._digest.update(b"".join([line_of(record) for record in records]))
        self._rows += len(records)

    def hash(self) -> TableHash:
        return TableHash(self._table.name, self._rows, self._digest.hexdigest())


async def table_hash(connection: Connection, table: Table[Any]) -> TableHash:
    """The hash of the table in `search_path`. Call it inside a transaction: rows are read through a cursor."""
    hasher = RowHasher(table)
    cursor = await connection.cursor(hasher.sql(table.name))
    while records := await cursor.fetch(FETCH_ROWS):
        hasher.add(records)
    return hasher.hash()


def _text(record: Record) -> bytes:
    line: str = record[0]
    return line.encode()


def _object(record: Record) -> bytes:
    return row_line(dict(record.items()))


def rows_sql(table: Table[Any], source: str) -> str:
    """SQL for all rows of `source` by primary key."""
    return f"SELECT {', '.join(table.columns)} FROM {source} ORDER BY {key_order(table)}"


def lines_sql(table: Table[Any], source: str) -> str:
    """SQL for all rows of `source` as RFC 8785 objects, by primary key."""
    members = [f"""'"{name}":' || coalesce(to_json({name})::text, 'null')""" for name in sorted(table.columns)]
    line = " || ',' || ".join(members)
    return f"SELECT '{{' || {line} || E'}}\\n' FROM {source} ORDER BY {key_order(table)}"


def key_order(table: Table[Any]) -> str:
    """The order of a read model's rows."""
    kinds = dict(zip(table.columns, table.types, strict=True))
    return ", ".join(f'{name} COLLATE "C"' if kinds[name] == "text" else name for name in table.key)
