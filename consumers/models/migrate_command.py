"""`yesser migrate`: the log's and the platform's tables by numbered files, then each consumer's schema and indexes."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import click

from events.values.bilingual import Bilingual
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.postgres.connection import connected, database_name
from infra.postgres.migrate import build_indexes, create_tables, migrate, one_at_a_time, progress_in_the_log
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
    done = asyncio.run(migrate_database(Settings()))
    files, schemas, indexes = (", ".join(names) for names in done)
    sentence = Bilingual(
        "طُبّق: {}. المخططات المنشأة: {}. الفهارس المبنية: {}.", "Applied: {}. Schemas created: {}. Indexes built: {}."
    ).format(
        files or Bilingual("لا شيء", "nothing"),
        schemas or Bilingual("لا شيء", "none"),
        indexes or Bilingual("لا شيء", "none"),
    )
    print_confirmation({"migrations": done.applied, "schemas": done.made, "indexes": done.built}, as_json, sentence)


class Migrated(NamedTuple):
    """The files applied, the schemas created, and the indexes built in schemas that were there."""

    applied: list[str]
    made: list[str]
    built: list[str]


async def migrate_database(settings: Settings) -> Migrated:
    """Apply what is missing. Indexes are built last, while the tables are in use."""
    from consumers.models.registry import CONSUMERS

    schemas = [consumer.schema for consumer in CONSUMERS.values()]
    migrator = settings.acting_as("migrator")
    async with (
        connected(migrator, "migrate", batch=True) as connection,
        connected(migrator, "migrate progress") as watching,
        progress_in_the_log(watching),
        one_at_a_time(connection),
    ):
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
        built = [
            name
            for consumer in CONSUMERS.values()
            for sql in consumer.index_sql()
            for name in await build_indexes(connection, consumer.schema, sql)
        ]
    return Migrated(applied, made, built)
