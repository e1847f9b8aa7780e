"""Writes what rows were into `past_row`, in the transaction that changes them."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final

from consumers.fold.past_rows import PAST_ROW, KeepingUnitOfWork, key_sql
from infra.postgres.connection import Connection
from infra.postgres.row_storage import COPY_ROWS_MIN, key_arrays, keys_sql
from infra.postgres.unit_of_work import Key, Table

_COLUMNS_OF: Final = attrgetter(*PAST_ROW.columns)
_KEEP: Final = """
INSERT INTO past_row (name, key, until, row)
SELECT name, key, until, row FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) AS r (name, key, until, row)
ON CONFLICT DO NOTHING
"""


async def keep(connection: Connection, rows: KeepingUnitOfWork) -> None:
    """Keep what the rows were that the batch has changed. Call it before they are saved."""
    for table, deleted, until in rows.deleted_unread():
        await _copy(connection, table, deleted, until)
    past = list(map(_COLUMNS_OF, rows.past()))
    if rows.are_new and len(past) >= COPY_ROWS_MIN:
        await connection.copy_records_to_table(PAST_ROW.name, records=past, columns=PAST_ROW.columns)
    elif past:
        await connection.execute(_KEEP, *map(list, zip(*past, strict=True)))


async def _copy(connection: Connection, table: Table[Any], keys: list[Key], until: int) -> None:
    """Copy rows that nobody has read, of those that are older than the block."""
    on = " AND ".join(f"t.{name} = k.{name}" for name in table.key)
    older = f" WHERE t.{table.since} < {until}" if table.since else ""
    await connection.execute(
        f"INSERT INTO past_row (name, key, until, row) SELECT '{table.name}', {key_sql(table, 't')}, {until},"
        f" row_to_json(t)::text FROM {keys_sql(table)} JOIN {table.name} t ON {on}{older} ON CONFLICT DO NOTHING",
        *key_arrays(table, keys),
    )
