"""The hash of a read model in PostgreSQL (`consumers.replay.fold.table_hash`)."""

from __future__ import annotations

from typing import Any

from consumers.replay.fold.table_hash import FETCH_ROWS, RowHasher, TableHash, canonical_json
from infra.postgres.connection import Connection
from infra.postgres.unit_of_work import Table


async def table_hash(connection: Connection, table: Table[Any]) -> TableHash:
    """The hash of the table in `search_path`. Call it inside a transaction: rows are read through a cursor."""
    hasher = RowHasher(table, canonical_json)
    cursor = await connection.cursor(hashed_rows_sql(table, table.name))
    while records := await cursor.fetch(FETCH_ROWS):
        hasher.add(records)
    return hasher.hash()


def hashed_rows_sql(table: Table[Any], source: str) -> str:
    """SQL for all rows of `source`, a table or a query, as `RowHasher` takes them, by primary key."""
    return f"SELECT {', '.join(sorted(table.columns))} FROM {source} ORDER BY {key_order(table)}"


def key_order(table: Table[Any]) -> str:
    """The order of a read model's rows. `COLLATE "C"` orders text by its bytes."""
    return ", ".join(
        f'{name} COLLATE "C"' if kind == "text" else name for name, kind in zip(table.key, table.key_types, strict=True)
    )
