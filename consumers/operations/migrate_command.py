"""`yesser migrate`: the log's and the platform's tables by numbered files, then each consumer's schema."""

from __future__ import annotations

import asyncio

import click

from infra.command_line.output import json_option, print_confirmation, print_result
from infra.postgres.connection import connected, database_name
from infra.postgres.migrate import create_tables, migrate
from infra.postgres.roles import grant_rights, own_read_models, require_roles, roles_sql
from infra.settings import Settings


@click.command("migrate")
@click.option("--print-roles", is_flag=True, help="Print the SQL that creates the roles, for a superuser to run once.")
@json_option
def migrate_command(print_roles: bool, as_json: bool) -> None:
    """Migrate the database to this version, and give each role its rights. Repeating it changes nothing; concurrent
    runs are safe.

    It logs in as the migrator. On a PostgreSQL of your own, have its superuser run the SQL of --print-roles first.
    """
    if print_roles:
        text = ";\n".join(roles_sql(database_name(Settings()))) + ";"
        print_result({"sql": text}, as_json, lambda: click.echo(text))
        return
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

    schemas = [consumer.schema for consumer in CONSUMERS.values()]
    async with connected(settings.acting_as("migrator"), "migrate", batch=True) as connection:
        await require_roles(connection)
        applied = await migrate(connection)
        async with connection.transaction():
            await grant_rights(connection, ["public", "log", "platform", "delivery", "console"])
        made = [
            consumer.schema
            for consumer in CONSUMERS.values()
            if await create_tables(connection, consumer.schema, consumer.create_sql())
        ]
        async with connection.transaction():
            for schema in schemas:
                await own_read_models(connection, schema)
            await grant_rights(connection, schemas)
    return applied, made
