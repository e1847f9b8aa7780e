"""Tries, as each database role, everything that can be done with each table; nothing of it stays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from infra.postgres.connection import Connection, connect
from infra.postgres.roles import privileges, rights
from infra.principals import CONSUMERS, PRINCIPALS, schema_of
from infra.settings import Settings

SCHEMAS: Final = ("log", "platform", "delivery", "console", "public", *map(schema_of, CONSUMERS))
LIMITED: Final = tuple(principal for principal in PRINCIPALS if principal not in ("migrator", "backup"))
"""The migrator is the owner of everything; `backup` has no table."""
FORBIDDEN: Final[Mapping[str, str]] = {
    "TRUNCATE": "TRUNCATE {table}",
    "DROP": "DROP TABLE {table} CASCADE",
    "ALTER": "ALTER TABLE {table} ADD COLUMN tried integer",
    "RENAME": "ALTER TABLE {table} RENAME TO tried",
    "OWNER": "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "DISABLE TRIGGER": "ALTER TABLE {table} DISABLE TRIGGER USER",
    "DISABLE ROW LEVEL SECURITY": "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    "CREATE TRIGGER": "CREATE TRIGGER tried BEFORE INSERT ON {table} EXECUTE FUNCTION log.append_only()",
    "CREATE INDEX": "CREATE INDEX tried ON {table} ((true))",
    # Without the right this is a warning at most.
    "GRANT": (
        "DO $g$ BEGIN GRANT SELECT ON {table} TO PUBLIC; IF NOT has_table_privilege('public', '{table}', 'SELECT')"
        " THEN RAISE insufficient_privilege; END IF; END $g$"
    ),
}
"""What no role may do with any table."""

# Each statement in a subtransaction that is always rolled back. Another error than a missing right comes after the
# rights were checked; so does a row that a policy refuses.
_TRY: Final = """
DO $tries$
DECLARE
    statement text;
    said text;
    found text := '';
BEGIN
    FOREACH statement IN ARRAY ARRAY[{statements}]::text[] LOOP
        BEGIN
            EXECUTE statement;
            RAISE EXCEPTION 'done';
        EXCEPTION
            WHEN insufficient_privilege THEN
                GET STACKED DIAGNOSTICS said = MESSAGE_TEXT;
                found := found || CASE WHEN said LIKE '%row-level security%' THEN 'y' ELSE 'n' END;
            WHEN OTHERS THEN
                found := found || 'y';
        END;
    END LOOP;
    PERFORM set_config('yesser.tried', found, false);
END $tries$
"""


@dataclass(frozen=True, slots=True)
class Access:
    """What a role may do with a table: the columns that it may read and update, and the rest by name."""

    reads: frozenset[str] = frozenset()
    inserts: bool = False
    updates: frozenset[str] = frozenset()
    deletes: bool = False
    more: tuple[str, ...] = ()
    columns: int = 0

    @property
    def reads_some(self) -> bool:
        """Whether it reads some columns and not all."""
        return 0 < len(self.reads) < self.columns

    @property
    def updates_some(self) -> bool:
        return 0 < len(self.updates) < self.columns


Matrix = Mapping[tuple[str, str], Access]
"""(principal, table) → what it may do."""


async def tables_of(connection: Connection) -> dict[str, list[str]]:
    """Every table and its columns, by name."""
    rows = await connection.fetch(
        "SELECT n.nspname || '.' || c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
        " GROUP BY 1 ORDER BY 1"
    )
    return {row["name"]: row["columns"] for row in rows}


async def tried(settings: Settings, tables: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], Access]:
    """What each principal may do with each table, as PostgreSQL answered."""
    found = {}
    for principal in LIMITED:
        connection = await connect(settings.acting_as(principal), "matrix")
        try:
            for table, columns in tables.items():
                found[principal, table] = await tried_on(connection, table, columns)
        finally:
            await connection.close()
    return found


async def tried_on(connection: Connection, table: str, columns: Sequence[str]) -> Access:
    """What the session's role may do with a table, or read of a view: ours cannot be written through."""
    reads = [f'SELECT "{column}" FROM {table} LIMIT 0' for column in columns]
    if await is_view(connection, table):
        answers = iter(await allowed(connection, reads))
        return Access(frozenset(column for column in columns if next(answers)), columns=len(columns))
    updates = [f'UPDATE {table} SET "{column}" = DEFAULT WHERE false' for column in columns]
    others = [f"INSERT INTO {table} DEFAULT VALUES", f"DELETE FROM {table} WHERE false"]
    forbidden = [text.format(table=table) for text in FORBIDDEN.values()]
    answers = iter(await allowed(connection, [*reads, *updates, *others, *forbidden]))
    return Access(
        reads=frozenset(column for column in columns if next(answers)),
        updates=frozenset(column for column in columns if next(answers)),
        inserts=next(answers),
        deletes=next(answers),
        more=tuple(name for name in FORBIDDEN if next(answers)),
        columns=len(columns),
    )


async def is_view(connection: Connection, table: str) -> bool:
    found: bool = await connection.fetchval(
        "SELECT c.relkind = 'v' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname || '.' || c.relname = $1",
        table,
    )
    return found


async def allowed(connection: Connection, statements: Iterable[str]) -> list[bool]:
    """Whether the session's role may do each of these, which are rolled back."""
    quoted = ", ".join("'" + statement.replace("'", "''") + "'" for statement in statements)
    await connection.execute(_TRY.format(statements=quoted))
    return [answer == "y" for answer in await connection.fetchval("SELECT current_setting('yesser.tried')")]


async def is_allowed(connection: Connection, statement: str) -> bool:
    """The same for one statement that does not run in a function."""
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return False
    return True


def expected(tables: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], Access]:
    """What `rights.toml` says."""
    granted = rights()
    return {
        (principal, table): access(privileges(granted[principal], *table.split(".")) or "", columns)
        for principal in LIMITED
        for table, columns in tables.items()
    }


def access(text: str, columns: Sequence[str]) -> Access:
    """What privileges are, as in GRANT."""
    named = {
        name: frozenset(filter(None, given.replace(" ", "").split(","))) or frozenset(columns)
        for name, given in re.findall(r"(\w+)(?: \(([^)]*)\))?(?:, |$)", text)
    }
    return Access(
        reads=named.get("SELECT", frozenset()),
        inserts="INSERT" in named,
        updates=named.get("UPDATE", frozenset()),
        deletes="DELETE" in named,
        columns=len(columns),
    )
