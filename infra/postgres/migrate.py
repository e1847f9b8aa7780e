"""Migrations: numbered files, each applied once, one process at a time.

The hash of each applied file is stored beside its name, so that a file that was changed afterwards is detected.

Indexes are built while their tables are in use: each statement outside a transaction, so that writers go on. A build
that was interrupted leaves an index that is not valid, which is dropped and built again; what is there is left alone.
So a file of such statements can be run any number of times.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from itertools import groupby
from typing import Final

import asyncpg
import structlog

from events.errors import Halt
from infra.postgres.connection import TRANSIENT_ERRORS, Connection
from infra.postgres.roles import grant_rights
from infra.postgres.sql import queries, read
from infra.principals import schema_owner

PACKAGE: Final = "infra.migrations"
OUTSIDE: Final = "_outside.sql"
"""The end of the names of files whose statements are run outside a transaction, while the tables are in use: concurrent
builds of indexes, and changes of many rows in parts."""
_LOCK: Final = 7_370_001
_SQL: Final = queries("infra.postgres", "migrate.sql")


class MigrationChanged(Halt):
    """A migration was changed after it was applied. Restore its text, and put the change into a new file."""


async def migrate(connection: Connection) -> list[str]:
    """Apply pending migrations; returns the names of their files. Raises `MigrationChanged`.

    Files are applied in one transaction, but those for `OUTSIDE`, which stand between two of them.
    """
    applied = []
    async with one_at_a_time(connection):
        for is_outside, names in groupby(_texts(), lambda name: name.endswith(OUTSIDE)):
            applied += await (_apply_outside if is_outside else _apply)(connection, list(names))
    return applied


async def _apply(connection: Connection, names: list[str]) -> list[str]:
    """Those of these files that are missing, in one transaction: all or none."""
    texts = _texts()
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await connection.execute(_SQL["create"])
        missing = await _missing(connection, names)
        for name in missing:
            await connection.execute(texts[name])
        # Rows of versions that kept no hash get it now.
        await connection.executemany(_SQL["note"], [(name, _sha256(texts[name])) for name in names])
    return missing


async def _apply_outside(connection: Connection, names: list[str]) -> list[str]:
    """Those of these files that are missing, statement by statement. One that was interrupted is run again."""
    texts = _texts()
    missing = await _missing(connection, names)
    for name in missing:
        for statement in statements(texts[name]):
            await run(connection, statement)
        await connection.execute(_SQL["note"], name, _sha256(texts[name]))
    return missing


async def _missing(connection: Connection, names: list[str]) -> list[str]:
    """Those of these files that were not applied. Raises `MigrationChanged` for any file."""
    known = {row["name"]: row["sha256"] for row in await connection.fetch(_SQL["applied"])}
    if changed := [name for name, text in _texts().items() if known.get(name) not in (None, _sha256(text))]:
        raise MigrationChanged(f"{MigrationChanged.__doc__} Changed: {', '.join(changed)}.")
    return [name for name in names if name not in known]


async def create_tables(connection: Connection, schema: str, sql: list[str]) -> bool:
    """Create a consumer's schema with its tables, under their owner, unless it exists; returns whether it did."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", schema):
            return False
        await connection.execute(f"SET LOCAL ROLE {schema_owner(schema)}")
        await connection.execute(f"CREATE SCHEMA {schema}")
        await connection.execute(f"SET LOCAL search_path = {schema}")
        for text in sql:
            await connection.execute(text)
        await grant_rights(connection, [schema])
    return True


def _texts() -> dict[str, str]:
    """File name → text, in order."""
    return {
        name: read(PACKAGE, name) for name in sorted(f.name for f in files(PACKAGE).iterdir()) if name.endswith(".sql")
    }


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


_INDEXES_SQL: Final = queries("infra.postgres", "indexes.sql")
_BUILD_LOCK: Final = 7_370_003
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
    while not await connection.fetchval(_INDEXES_SQL["try_lock"], _BUILD_LOCK):  # noqa: ASYNC110 - another process has it
        await asyncio.sleep(TRY_AGAIN_S)
    try:
        yield
    finally:
        await connection.execute(_INDEXES_SQL["unlock"], _BUILD_LOCK)


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
    is_valid = await connection.fetchval(_INDEXES_SQL["is_valid"], index)
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
        for row in await watching.fetch(_INDEXES_SQL["progress"]):
            log.info("an index is being built", **row)


def statements(sql: str) -> list[str]:
    """The statements of a file, without comments and line breaks."""
    plain = " ".join(re.sub(r"--[^\n]*", "", sql).split())
    return [statement.strip() for statement in plain.split(";") if statement.strip()]
