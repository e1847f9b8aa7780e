"""`yesser migrate`: the log's and the platform's tables by numbered files, then each consumer's schema."""

from __future__ import annotations

import asyncio

import click
import orjson

from infra.command_line.language import say
from infra.postgres.connection import connect
from infra.postgres.migrate import create_tables, migrate
from infra.settings import Settings


@click.command("migrate")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def migrate_command(as_json: bool) -> None:
    """Migrate the database to this version. Repeating it changes nothing; concurrent runs are safe."""
    applied, made = asyncio.run(migrate_database(Settings()))
    if as_json:
        click.echo(orjson.dumps({"migrations": applied, "schemas": made}))
    else:
        files, schemas = ", ".join(applied), ", ".join(made)
        say(
            f"طُبّق: {files or 'لا شيء'}. المخططات المنشأة: {schemas or 'لا شيء'}.",
            f"Applied: {files or 'nothing'}. Schemas created: {schemas or 'none'}.",
        )


async def migrate_database(settings: Settings) -> tuple[list[str], list[str]]:
    """Apply what is missing; returns the files applied and the schemas created."""
    from consumers.registry import CONSUMERS

    connection = await connect(settings, "migrate", batch=True)
    try:
        applied = await migrate(connection)
        made = [
            consumer.schema
            for consumer in CONSUMERS.values()
            if await create_tables(connection, consumer.schema, consumer.create_sql())
        ]
    finally:
        await connection.close()
    return applied, made
