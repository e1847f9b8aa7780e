"""Builds indexes while their tables are in use: each statement outside a transaction, so that writers go on.

A build that was interrupted leaves an index that is not valid, which is dropped and built again; what is there is left
alone. So a file of such statements can be run any number of times.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import asyncpg
import structlog

from infra.postgres.connection import TRANSIENT_ERRORS, Connection
from infra.postgres.sql import queries

_SQL: Final = queries("infra.postgres", "indexes.sql")
_LOCK: Final = 7_370_003
TRY_AGAIN_S: Final = 0.2
REPORT_S: Final = 10.0
"""Seconds between two lines of the log about a build."""
INDEX: Final = re.compile(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (\w+) ON (?:(\w+)\.)?\w+ ")

log = structlog.get_logger()


@asynccontextmanager
async def one_at_a_time(connection: Connection) -> AsyncIterator[None]:
    """Only one session of the database is in this block.

    It asks again and again: a session that waits for a lock has a snapshot, for whose end a concurrent build waits.
    """
    while not await connection.fetchval(_SQL["try_lock"], _LOCK):  # noqa: ASYNC110 - another process has it
        await asyncio.sleep(TRY_AGAIN_S)
    try:
        yield
    finally:
        await connection.execute(_SQL["unlock"], _LOCK)


async def build_indexes(connection: Connection, schema: str, sql: str) -> list[str]:
    """Build the indexes of `sql` that the tables of `schema` do not have; their names. In `one_at_a_time`.

    Those of tables and columns that an earlier release did not have are left out: the rebuild brings both.
    """
    await connection.execute(f"SET search_path = {schema}")
    built = []
    try:
        for statement in statements(sql):
            try:
                built += await run(connection, statement)
            except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
                log.info("the next rebuild of these rows brings the index", schema=schema, missing=str(error))
    finally:
        await connection.execute("SET search_path = public")
    return built


async def run(connection: Connection, statement: str) -> list[str]:
    """Run one statement outside a transaction; the name of the index, if it built one.

    An UPDATE is repeated until it changes nothing: it says itself how many rows it changes at once.
    """
    named = INDEX.match(statement)
    if named is None:
        changed = await connection.execute(statement)
        while changed.startswith("UPDATE") and changed != "UPDATE 0":
            changed = await connection.execute(statement)
        return []
    name, schema = named[1], named[2]
    index = f"{schema}.{name}" if schema else name
    is_valid = await connection.fetchval(_SQL["is_valid"], index)
    if is_valid:
        return []
    if is_valid is False:
        log.warning("an interrupted build left an index: it is built again", index=index)
        await connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
    log.info("building an index", index=index)
    await connection.execute(statement)
    return [name]


@asynccontextmanager
async def progress_in_the_log(watching: Connection) -> AsyncIterator[None]:
    """Says every `REPORT_S` how far a build is, as a session other than its own sees it."""
    task = asyncio.create_task(_report(watching))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, *TRANSIENT_ERRORS):
            await task


async def _report(watching: Connection) -> None:
    while True:
        await asyncio.sleep(REPORT_S)
        for row in await watching.fetch(_SQL["progress"]):
            log.info("an index is being built", **row)


def statements(sql: str) -> list[str]:
    """The statements of a file, without comments and line breaks."""
    plain = " ".join(re.sub(r"--[^\n]*", "", sql).split())
    return [statement.strip() for statement in plain.split(";") if statement.strip()]
