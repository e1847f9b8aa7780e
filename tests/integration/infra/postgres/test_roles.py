"""Each database role can do what the table of rights says, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from consumers.models.migrate_command import migrate_database
from infra.postgres.connection import Connection, NoPassword, connect
from infra.postgres.roles import READ_MODEL_OWNER, NoRoles, create_roles, require_roles, rights
from infra.principals import CONSUMERS, OWNER_ROLE, PRINCIPALS, database_role, schema_of, schema_owner
from infra.settings import Settings
from tests.corners import execute
from tests.integration.infra.postgres.tried_rights import (
    SCHEMAS,
    Access,
    access,
    allowed,
    expected,
    is_allowed,
    is_view,
    tables_of,
    tried,
    tried_on,
)
from tests.security_page import ROLES, block, role_table
from tests.stack import superusers_address, with_database

OWN_TABLES_ALONE = {"public.migration"}
"""Tables that only their owner uses; those of the queue come with it and are not used."""


@asynccontextmanager
async def logged_in(settings: Settings, principal: str) -> AsyncIterator[Connection]:
    connection = await connect(settings.acting_as(principal), "roles test")
    try:
        yield connection
    finally:
        await connection.close()


async def test_every_table_has_a_row_in_the_table_of_rights(connection: Connection) -> None:
    listed = {table for granted in rights().values() for table in granted}
    for table in await tables_of(connection):
        schema, _ = table.split(".")
        assert {table, f"{schema}.*"} & listed or table in OWN_TABLES_ALONE, f"{table}: add it to rights.toml"
        assert schema in SCHEMAS


async def test_each_role_may_do_what_its_rights_say_only(settings: Settings, connection: Connection) -> None:
    tables = await tables_of(connection)
    views = [table for table in tables if await is_view(connection, table)]
    found, wanted = await tried(settings, tables), expected(tables)
    wanted |= {key: Access(one.reads, columns=one.columns) for key, one in wanted.items() if key[1] in views}
    assert {key: (found[key], wanted[key]) for key in wanted if found[key] != wanted[key]} == {}
    assert block(ROLES) == role_table(found), "run `python -m tests.security_page`"


async def test_no_role_makes_anything_but_the_tables_of_its_fold_as_owner(settings: Settings) -> None:
    passing = {"reader", "auditor"}
    owners = {schema_owner(schema_of(consumer)): consumer for consumer in CONSUMERS}
    everyone = [OWNER_ROLE, *owners, *map(database_role, PRINCIPALS), "postgres"]
    tables = [f"CREATE TABLE {schema}.tried ()" for schema in SCHEMAS]
    more = ["CREATE ROLE tried", "CREATE DATABASE tried", "SELECT pg_read_file('PG_VERSION')", "CHECKPOINT"]
    more += ["ALTER ROLE yesser_reader CREATEDB", "GRANT yesser_owner TO yesser_reader", "CREATE SCHEMA tried"]
    for principal in PRINCIPALS:
        mine = {database_role(principal)}
        async with logged_in(settings, principal) as session:
            if principal != "migrator":
                assert not any(await allowed(session, tables)), principal
                assert [one for one in more if await is_allowed(session, one)] == [], principal
                temporary = await is_allowed(session, "CREATE TEMPORARY TABLE tried ()")
                assert temporary == (principal in passing), principal
                mine |= {owner for owner, consumer in owners.items() if principal in (consumer, "operator")}
            else:
                assert await session.fetchval("SELECT current_user::text") == OWNER_ROLE
                mine |= {OWNER_ROLE, *owners}
            assert {role for role in everyone if await is_allowed(session, f"SET ROLE {role}")} == mine, principal


async def test_owners_of_read_models_have_no_other_power(settings: Settings, connection: Connection) -> None:
    tables, besides = await tables_of(connection), rights()[READ_MODEL_OWNER]
    for consumer in CONSUMERS:
        schema = schema_of(consumer)
        async with logged_in(settings, consumer) as session:
            await session.execute(f"SET ROLE {schema_owner(schema)}")
            for table, columns in tables.items():
                found = await tried_on(session, table, columns)
                if table.startswith(f"{schema}.") and not await is_view(session, table):
                    assert {"DROP", "ALTER"} <= set(found.more), table
                elif not table.startswith(f"{schema}."):
                    assert found == access(besides.get(table, ""), columns), (consumer, table)


async def test_lease_and_position_are_changed_by_their_process(settings: Settings, connection: Connection) -> None:
    leases = {"registrar": "registrar", "relay": "relay", **{f"consumer.{name}": name for name in CONSUMERS}}
    for lease in leases:
        await connection.execute("INSERT INTO platform.lease VALUES ($1, 'x', 1, now())", lease)
    for consumer in CONSUMERS:
        await connection.execute("INSERT INTO platform.position (consumer) VALUES ($1)", consumer)
    for principal in ("registrar", "relay", *CONSUMERS):
        async with logged_in(settings, principal) as session:
            changed = await session.fetch("UPDATE platform.lease SET owner = 'y' RETURNING name")
            assert [leases[row["name"]] for row in changed] == [principal]
            assert await session.fetchval("SELECT count(*) FROM platform.lease") == len(leases)
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await session.execute("INSERT INTO platform.lease VALUES ('consumer.other', 'x', 1, now())")
            if principal in CONSUMERS:
                moved = await session.fetch("UPDATE platform.position SET epoch = epoch + 1 RETURNING consumer")
                assert [row["consumer"] for row in moved] == [principal]


async def test_a_server_without_the_roles_and_a_role_without_its_password_are_named_with_what_to_do(
    settings: Settings, connection: Connection
) -> None:
    unable = "SELECT count(*) FROM pg_roles WHERE rolname LIKE '%\\_owner' AND rolcanlogin"
    assert await connection.fetchval(unable) == 0, "nobody can log in as an owner"
    await require_roles(connection)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(f"ALTER ROLE {OWNER_ROLE} RENAME TO renamed_for_a_test")
    with pytest.raises(NoRoles, match="--print-roles"):
        await require_roles(connection)
    await transaction.rollback()
    settings.secret_path("postgres", "relay").unlink()
    with pytest.raises(
        NoPassword, match=r"relay has no password for PostgreSQL here: run this where .*/relay/postgres"
    ):
        await connect(settings.acting_as("relay"), "test")


async def test_a_database_of_the_release_before_is_taken_over(settings: Settings, connection: Connection) -> None:
    """There everything was owned by the only role, which logged in."""
    server, name = superusers_address(settings), "former_home"
    await execute(server, "CREATE ROLE yesser LOGIN CREATEDB PASSWORD 'former'", f"CREATE DATABASE {name} OWNER yesser")
    try:
        former = with_database(server, name)
        own = settings.model_copy(update={"postgres": with_database(settings.postgres or "", name)})
        everywhere = "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = 'yesser'"
        made = await asyncpg.connect(former)
        await create_roles(made, name, {})
        await migrate_database(own)
        for schema in ("public", "log", "platform", "delivery", "console", *map(schema_of, CONSUMERS)):
            tables = await made.fetch("SELECT tablename FROM pg_tables WHERE schemaname = $1", schema)
            await made.execute(f"ALTER SCHEMA {schema} OWNER TO yesser")
            for row in tables:
                await made.execute(f"ALTER TABLE {schema}.{row['tablename']} OWNER TO yesser")
        await made.execute("CREATE SCHEMA rebuild_revenue AUTHORIZATION yesser CREATE TABLE account (x integer)")
        await made.execute("ALTER ROLE yesser LOGIN CREATEDB")
        assert await made.fetchval(everywhere) > 50

        await create_roles(made, name, {})
        await migrate_database(own)
        assert await made.fetchval(everywhere) == 0
        assert not await made.fetchval("SELECT rolcanlogin OR rolcreatedb FROM pg_roles WHERE rolname = 'yesser'")
        owner = "SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = $1"
        assert await made.fetchval(owner, "log") == OWNER_ROLE
        assert await made.fetchval(owner, "revenue") == await made.fetchval(owner, "rebuild_revenue")
        async with logged_in(own, "revenue") as revenue:
            await revenue.execute("SELECT FROM revenue.account")
            await revenue.execute("SET ROLE yesser_revenue_owner; DROP SCHEMA rebuild_revenue CASCADE")
        await made.close()
    finally:
        await execute(server, f"DROP DATABASE {name} WITH (FORCE)", "DROP ROLE yesser")
