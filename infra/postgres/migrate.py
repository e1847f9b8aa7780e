"""Migrations: numbered files, each applied once, one process at a time.

The hash of each applied file is stored beside its name, so that a file that was changed afterwards is detected.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Final

from events.errors import Halt
from infra.postgres.connection import Connection
from infra.postgres.roles import grant_rights
from infra.postgres.sql import queries, read
from infra.principals import schema_owner

PACKAGE: Final = "infra.migrations"
_LOCK: Final = 7_370_001
_SQL: Final = queries("infra.postgres", "migrate.sql")


class MigrationChanged(Halt):
    """A migration was changed after it was applied. Restore its text, and put the change into a new file."""


async def migrate(connection: Connection) -> list[str]:
    """Apply pending migrations; returns the names of their files. Raises `MigrationChanged`."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await connection.execute(_SQL["create"])
        known = {row["name"]: row["sha256"] for row in await connection.fetch(_SQL["applied"])}
        texts = _texts()
        if changed := [name for name, text in texts.items() if known.get(name) not in (None, _sha256(text))]:
            raise MigrationChanged(f"{MigrationChanged.__doc__} Changed: {', '.join(changed)}.")
        missing = [name for name in texts if name not in known]
        for name in missing:
            await connection.execute(texts[name])
        # Rows of versions that kept no hash get it now.
        await connection.executemany(_SQL["note"], [(name, _sha256(text)) for name, text in texts.items()])
    return missing


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
