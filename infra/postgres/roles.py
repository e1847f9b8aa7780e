"""Database roles: their creation by a superuser, and their rights on each table.

`yesser_owner` owns the database and cannot log in. Each principal logs in as a role of its own, with the rights of
`rights.toml` and no others. The read models of a consumer have an owner of their own, which the consumer becomes to
build them again: in its daily work it cannot change what is append-only.

Roles belong to the whole server and need a superuser (`roles_sql`). Rights belong to the tables and need their owner
(`grant_rights`); they are granted again after each migration and each rebuild.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from events.errors import YesserError
from infra.postgres.connection import Connection
from infra.postgres.outbox import types_decided_by
from infra.postgres.sql import queries, read
from infra.postgres.trail import policy_of
from infra.principals import CONSUMERS, OWNER_ROLE, PRINCIPALS, database_role, schema_of, schema_owner

Rights = Mapping[str, Mapping[str, str]]
"""Role → table → privileges, as in GRANT."""

READ_MODEL_OWNER: Final = "read-model-owner"
FORMER_ROLE: Final = "yesser"
"""Owned everything before there were roles; it keeps nothing and cannot log in any more."""
SCRATCH: Final = ("reader", "auditor")
"""Principals that fold the log into temporary tables (as-of views, checks)."""
_SQL: Final = queries("infra.postgres", "roles.sql")


class NoRoles(YesserError):
    """The database has no roles of this platform: run the SQL of `yesser migrate --print-roles` as its superuser."""


def rights() -> Rights:
    """The rights of every role, by principal."""
    found: Rights = tomllib.loads(read("infra.postgres", "rights.toml"))
    return found


def roles_sql(database: str, consumers: Iterable[str] = CONSUMERS) -> list[str]:
    """The statements that create the roles and give them the database. Repeating them changes nothing.

    Needs a superuser of PostgreSQL 16 or newer. The roles have no password afterwards.
    """
    consumers = tuple(consumers)
    owners = [schema_owner(schema_of(consumer)) for consumer in consumers]
    logins = [database_role(name) for name in dict.fromkeys((*PRINCIPALS, *consumers))]
    migrator = database_role("migrator")
    becoming = [
        f"GRANT {owner} TO {database_role(consumer)}, {database_role('operator')} WITH INHERIT FALSE, SET TRUE"
        for consumer, owner in zip(consumers, owners, strict=True)
    ]
    return [
        *(_create(role, "NOLOGIN") for role in (OWNER_ROLE, *owners)),
        *(_create(role, "LOGIN") for role in logins),
        f"ALTER ROLE {database_role('backup')} REPLICATION",
        f"GRANT {OWNER_ROLE} TO {migrator}",
        f"ALTER ROLE {migrator} SET role = '{OWNER_ROLE}'",
        f"GRANT {', '.join(owners)} TO {OWNER_ROLE}",
        *becoming,
        *_database_sql(database, logins, owners),
    ]


async def create_roles(
    connection: Connection,
    database: str,
    passwords: Mapping[str, str],
    consumers: Iterable[str] = CONSUMERS,
) -> None:
    """Create the roles in a superuser's session on `database`, set the passwords of these principals, and take over
    what an earlier release made under its only role."""
    async with connection.transaction():
        await connection.execute(_SQL["lock"])
        for statement in roles_sql(database, consumers):
            await connection.execute(statement)
        for principal, password in passwords.items():
            await set_password(connection, principal, password)
        if await connection.fetchval(_SQL["is_former_role"], FORMER_ROLE):
            await connection.execute(f"REASSIGN OWNED BY {FORMER_ROLE} TO {OWNER_ROLE}")
            await connection.execute(f"ALTER ROLE {FORMER_ROLE} NOLOGIN NOCREATEDB PASSWORD NULL")


async def set_password(connection: Connection, principal: str, password: str) -> None:
    """Set a principal's password, in a superuser's session. Connections that are open go on."""
    await connection.execute("SET log_min_error_statement = 'panic'")  # keeps the password out of the server's log
    text = await connection.fetchval("SELECT quote_literal($1)", password)
    await connection.execute(f"ALTER ROLE {database_role(principal)} PASSWORD {text}")


async def end_sessions(connection: Connection, principal: str, before: datetime) -> int:
    """End a principal's sessions that were opened before this time, in a superuser's session; returns their number."""
    ended: int = await connection.fetchval(_SQL["end_sessions"], database_role(principal), before)
    return ended


async def require_roles(connection: Connection) -> None:
    """Raises `NoRoles`."""
    if not await connection.fetchval(_SQL["role_exists"], OWNER_ROLE):
        raise NoRoles(NoRoles.__doc__)


async def grant_rights(connection: Connection, schemas: Iterable[str]) -> None:
    """Give each role its rights on the tables of these schemas, and take all others. In the caller's transaction, as
    their owner."""
    for schema in schemas:
        await grant_rights_of(connection, schema, schema)


async def grant_rights_of(connection: Connection, name: str, schema: str) -> None:
    """The same for one schema, `schema`, that has or will have the name `name`."""
    found = await connection.fetch(_SQL["tables"], schema)
    known = {row["rolname"] for row in await connection.fetch(_SQL["roles"])}
    everyone = ", ".join(["PUBLIC", *sorted(known - {schema_owner(name)})])
    for row in found:
        kind = "SEQUENCE" if row["is_sequence"] else "TABLE"
        await connection.execute(f"REVOKE ALL ON {kind} {schema}.{row['name']} FROM {everyone}")
    await connection.execute(f"REVOKE ALL ON SCHEMA {schema} FROM {everyone}")
    kinds = {row["name"]: "SEQUENCE" if row["is_sequence"] else "TABLE" for row in found}
    for statement in (*_grants(name, schema, kinds, known), *_policies(schema, kinds, known)):
        await connection.execute(statement)


async def own_read_models(connection: Connection, schema: str) -> None:
    """Give the tables of a consumer to their owner, where an earlier release made them under another role: the live
    ones, and those that a rebuild left behind."""
    owner = schema_owner(schema)
    for made in (schema, f"rebuild_{schema}", f"rebuild_{schema}_trial"):
        for row in await connection.fetch(_SQL["owned_by_others"], made, owner):
            await connection.execute(f"ALTER {row['kind']} {row['name']} OWNER TO {owner}")


def _create(role: str, kind: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role}; END IF;"
        f" END $$; ALTER ROLE {role} {kind}"
    )


def _database_sql(database: str, logins: Iterable[str], owners: Iterable[str]) -> list[str]:
    """The statements that give one database to its owner and let nobody else in."""
    scratch = ", ".join(map(database_role, SCRATCH))
    return [
        f'ALTER DATABASE "{database}" OWNER TO {OWNER_ROLE}',
        f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC',
        f'GRANT CONNECT ON DATABASE "{database}" TO {", ".join(logins)}',
        f'GRANT CREATE ON DATABASE "{database}" TO {", ".join(owners)}',
        f'REVOKE CREATE ON DATABASE "{database}" FROM {scratch}',  # earlier releases gave it
        f'GRANT TEMPORARY ON DATABASE "{database}" TO {scratch}',
    ]


def _grants(name: str, schema: str, kinds: Mapping[str, str], known: set[str]) -> list[str]:
    """What the table of rights gives the known roles in the schema `name`, for the one that is `schema` now. A sequence
    needs a row of its own."""
    statements = []
    for role, granted in rights_by_role(known).items():
        found = {
            made: text
            for made, kind in kinds.items()
            if (text := granted.get(f"{name}.{made}") if kind == "SEQUENCE" else privileges(granted, name, made))
        }
        if found:
            statements.append(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        statements += [f"GRANT {text} ON {kinds[made]} {schema}.{made} TO {role}" for made, text in found.items()]
    return statements


def _policies(schema: str, kinds: Mapping[str, str], known: set[str]) -> list[str]:
    """The policies by which each role adds only its own rows: to the outbox the types that it decides, to the trail the
    commands that it runs."""
    statements = []
    for principal in PRINCIPALS:
        role = database_role(principal)
        types = ", ".join(f"'{name}'" for name in types_decided_by(principal))
        for table, condition in {
            "outbox": f"type IN ({types})" if types else None,
            "trail": policy_of(principal),
        }.items():
            if table in kinds:
                statements.append(f"DROP POLICY IF EXISTS {role} ON {schema}.{table}")
                if condition and role in known:
                    statements.append(
                        f"CREATE POLICY {role} ON {schema}.{table} FOR INSERT TO {role} WITH CHECK ({condition})"
                    )
    return statements


def rights_by_role(known: Iterable[str]) -> dict[str, Mapping[str, str]]:
    """The rights by the names of roles, without roles that this server does not have."""
    table = dict(rights())
    of_owners = table.pop(READ_MODEL_OWNER)
    found = {database_role(principal): granted for principal, granted in table.items()}
    found |= {schema_owner(schema_of(consumer)): of_owners for consumer in CONSUMERS}
    return {role: granted for role, granted in found.items() if role in set(known)}


def privileges(granted: Mapping[str, str], schema: str, table: str) -> str | None:
    """The privileges on one table: those of its own row, else those of the whole schema."""
    return granted.get(f"{schema}.{table}", granted.get(f"{schema}.*"))
