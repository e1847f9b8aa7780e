"""The hash of a read model: SHA-256 over its rows as RFC 8785 objects, one a line, ordered by primary key.

Where a table holds only text, integers and booleans PostgreSQL writes the lines itself, which is several times quicker;
its JSON escapes are those of RFC 8785. Text is ordered by bytes (`COLLATE "C"`), so that every machine agrees.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from events.codec import canonical_bytes
from infra.postgres import Connection
from infra.tables import Table

PREFETCH_ROWS: Final = 4_096


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Rows and hash of one read model."""

    name: str
    rows: int
    sha256: str


async def fingerprint(connection: Connection, table: Table[Any]) -> Fingerprint:
    """Of the table in `search_path`. Inside a transaction: rows are read through a cursor."""
    digest, rows = sha256(), 0
    async for line in _lines(connection, table):
        digest.update(line)
        digest.update(b"\n")
        rows += 1
    return Fingerprint(table.name, rows, digest.hexdigest())


async def _lines(connection: Connection, table: Table[Any]) -> AsyncIterator[bytes]:
    if "jsonb" in table.types or "bytea" in table.types:
        async for row in connection.cursor(rows_sql(table), prefetch=PREFETCH_ROWS):
            yield canonical_bytes({name: _json(value) for name, value in row.items()})
    else:
        async for row in connection.cursor(lines_sql(table), prefetch=PREFETCH_ROWS):
            yield row[0].encode()


def _json(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def rows_sql(table: Table[Any]) -> str:
    """All rows by primary key."""
    return f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {_key_order(table)}"


def lines_sql(table: Table[Any]) -> str:
    """All rows as RFC 8785 objects, by primary key. Column names are plain ASCII and sort as they are."""
    members = [f"""'"{name}":' || coalesce(to_json({name})::text, 'null')""" for name in sorted(table.columns)]
    line = " || ',' || ".join(members)
    return f"SELECT '{{' || {line} || '}}' FROM {table.name} ORDER BY {_key_order(table)}"


def _key_order(table: Table[Any]) -> str:
    kinds = dict(zip(table.columns, table.types, strict=True))
    return ", ".join(f'{name} COLLATE "C"' if kinds[name] == "text" else name for name in table.key)
