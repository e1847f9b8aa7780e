"""Deletes rows whose retention is over: each hour, some at a time, in short transactions.

A failure is logged once and tried again, and ends nothing: rows that stay for longer do no harm. No lease is needed:
what is deleted follows from the age of the rows alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from infra.observability.logs import LogOnce
from infra.observability.telemetry import count, gauge
from infra.postgres.connection import Connection
from infra.process.leader_election import Term
from infra.process.tasks import pause
from infra.settings import Settings

ROWS_MAX: Final = 500
"""Most rows of a transaction: a refused record has up to 128 KiB."""
REST_S: Final = 0.05
"""Between two transactions, for what else the database has to do."""
EVERY_S: Final = 3_600.0
TRY_AGAIN_S: Final = 60.0

Delete: TypeAlias = Callable[[Connection, int], Awaitable[str]]
"""Deletes at most so many rows whose retention is over, in a transaction of its own; the answer is like `DELETE 7`."""


async def keep_retention(
    settings: Settings,
    term: Term,
    tables: Mapping[str, Delete],
    rest_s: float = REST_S,
    try_again_s: float = TRY_AGAIN_S,
) -> None:
    """Until the term's `stop`."""
    failing = {
        table: LogOnce("rows whose retention is over stay for now", "rows whose retention is over are deleted again")
        for table in tables
    }
    while not term.stop.is_set():
        wait_s = EVERY_S
        for table, delete in tables.items():
            try:
                await _delete_all(settings, term, table, delete, rest_s)
            except Exception as error:
                failing[table].begins(error, table=table)
                wait_s = try_again_s
            else:
                failing[table].ends(table=table)
        await pause(term.stop, wait_s)


async def _delete_all(settings: Settings, term: Term, table: str, delete: Delete, rest_s: float) -> None:
    async with term.connected(settings, f"retention {table}") as connection:
        deleted = ROWS_MAX
        while deleted == ROWS_MAX and not term.stop.is_set():
            deleted = int((await delete(connection, ROWS_MAX)).removeprefix("DELETE "))
            count("rows_expired", deleted, table=table)
            await pause(term.stop, rest_s)
        gauge(
            "table_bytes",
            await connection.fetchval("SELECT pg_total_relation_size($1::text::regclass)", table),
            table=table,
        )
