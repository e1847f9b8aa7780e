"""Migrations: numbered files, each applied once, one process at a time."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from infra.postgres.connection import Connection
from infra.postgres.sql import read

PACKAGE: Final = "infra.migrations"
_LOCK: Final = 7_370_001


async def migrate(connection: Connection) -> list[str]:
    """Apply pending migrations; returns the names of their files."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS public.migration (name text PRIMARY KEY, applied_at timestamptz DEFAULT now())"
        )
        done = {row["name"] for row in await connection.fetch("SELECT name FROM public.migration")}
        applied = []
        for name in sorted(f.name for f in files(PACKAGE).iterdir() if f.name.endswith(".sql")):
            if name not in done:
                await connection.execute(read(PACKAGE, name))
                await connection.execute("INSERT INTO public.migration (name) VALUES ($1)", name)
                applied.append(name)
    return applied


async def create_tables(connection: Connection, schema: str, sql: list[str]) -> bool:
    """Create a consumer's schema with its tables unless it exists; returns whether it was created."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", schema):
            return False
        await connection.execute(f"CREATE SCHEMA {schema}")
        await connection.execute(f"SET LOCAL search_path = {schema}")
        for text in sql:
            await connection.execute(text)
    return True
