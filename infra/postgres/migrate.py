"""Migrations: numbered files, each applied once, one process at a time.

The hash of each applied file is stored beside its name, so that a file that was changed afterwards is detected.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from itertools import groupby
from typing import Final

from events.errors import Halt
from infra.postgres.connection import Connection
from infra.postgres.indexes import one_at_a_time, run, statements
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
