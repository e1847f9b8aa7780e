"""The hash of a read model: SHA-256 over its rows as RFC 8785 objects, one per line, ordered by primary key.

All names are ASCII (validation refuses others), so they sort as bytes. For a table with only text, integers and
booleans PostgreSQL writes the lines, which is several times faster; its JSON escapes are those of RFC 8785. Text is
ordered by bytes (`COLLATE "C"`), so that every machine agrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from asyncpg import Record

from events.wire.codec import canonical_event_bytes
from infra.postgres.connection import Connection
from infra.postgres.unit_of_work import Table

FETCH_ROWS: Final = 4_096
_PYTHON_TYPES: Final = frozenset({"jsonb", "bytea"})
"""Column types whose JSON PostgreSQL would write differently."""


@dataclass(frozen=True, slots=True)
class TableHash:
    """The hash and the number of rows of one read model."""

    name: str
    rows: int
    sha256: str


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
    return canonical_event_bytes({name: _json(value) for name, value in record.items()}) + b"\n"


def _json(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


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
