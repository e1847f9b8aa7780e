"""`yesser migrate`: the log's and the platform's tables by numbered files, then each consumer's schema."""

from __future__ import annotations

import asyncio

import click

from infra.command_line.output import json_option, print_confirmation
from infra.postgres.connection import connected
from infra.postgres.migrate import create_tables, migrate
from infra.settings import Settings


@click.command("migrate")
@json_option
def migrate_command(as_json: bool) -> None:
    """Migrate the database to this version. Repeating it changes nothing; concurrent runs are safe."""
    applied, made = asyncio.run(migrate_database(Settings()))
    files, schemas = ", ".join(applied), ", ".join(made)
    print_confirmation(
        {"migrations": applied, "schemas": made},
        as_json,
        f"طُبّق: {files or 'لا شيء'}. المخططات المنشأة: {schemas or 'لا شيء'}.",
        f"Applied: {files or 'nothing'}. Schemas created: {schemas or 'none'}.",
    )


async def migrate_database(settings: Settings) -> tuple[list[str], list[str]]:
    """Apply what is missing; returns the files applied and the schemas created."""
    from consumers.registry import CONSUMERS

    async with connected(settings, "migrate", batch=True) as connection:
        applied = await migrate(connection)
        made = [
            consumer.schema
            for consumer in CONSUMERS.values()
            if await create_tables(connection, consumer.schema, consumer.create_sql())
        ]
    return applied, made
