"""The database comes to this version's form by itself, when its first process starts, and the log can only grow."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from consumers.operations.migrate_command import migrate_database
from infra.postgres.connection import Connection, connect
from infra.postgres.indexes import run
from infra.postgres.migrate import MigrationChanged, create_tables, migrate
from infra.settings import Settings
from tests.every import every


async def test_migrating_again_changes_nothing(settings: Settings) -> None:
    assert await migrate_database(settings) == ([], [], [])


async def test_of_many_that_migrate_at_once_one_does_it(settings: Settings, connection: Connection) -> None:
    await connection.execute("DROP SCHEMA log, platform, delivery, console CASCADE; DROP TABLE public.migration")
    connections = [await connect(settings, f"migrator {i}") for i in range(4)]
    try:
        applied = await asyncio.gather(*(migrate(c) for c in connections))
        assert sorted(map(len, applied))[:3] == [0, 0, 0]
        made = await asyncio.gather(*(create_tables(c, "counting", ["CREATE TABLE t ()"]) for c in connections))
        assert sorted(made) == [False, False, False, True]
    finally:
        await asyncio.gather(*(c.close() for c in connections))


async def test_a_migration_that_was_changed_after_it_was_applied_is_named_and_nothing_is_applied(
    connection: Connection,
) -> None:
    await connection.execute("UPDATE public.migration SET sha256 = '\\x00' WHERE name LIKE '0003%'")
    await connection.execute("DELETE FROM public.migration WHERE name LIKE '0001%'")
    with pytest.raises(MigrationChanged, match=r"Restore its text.* Changed: 0003_registration.sql\."):
        await migrate(connection)
    assert await connection.fetchval("SELECT count(*) FROM public.migration WHERE name LIKE '0001%'") == 0


async def test_migrations_that_an_older_version_applied_without_a_hash_get_it_and_are_not_applied_again(
    connection: Connection,
) -> None:
    await connection.execute("ALTER TABLE public.migration DROP COLUMN sha256")
    assert await migrate(connection) == []
    assert await connection.fetchval("SELECT bool_and(length(sha256) = 32) FROM public.migration")


async def test_missing_indexes_are_built_by_one_of_many_that_migrate_at_once(
    settings: Settings, connection: Connection
) -> None:
    await connection.execute("DROP INDEX revenue.receipt_of_period, campaigns.route_of_campaign")
    done = await asyncio.gather(*(migrate_database(settings) for _ in range(3)))
    assert sorted(sorted(found.built) for found in done) == [[], [], ["receipt_of_period", "route_of_campaign"]]
    assert await unbuilt(connection) == []


async def test_an_index_whose_build_was_interrupted_is_built_again(settings: Settings, connection: Connection) -> None:
    rows = "SELECT n, n, 'r', 't', 's', 'health', '{}', '{}' FROM generate_series(1, 2) AS n"
    await connection.execute(f"INSERT INTO projections.anomaly {rows}")
    await connection.execute("DROP INDEX projections.anomaly_by_agency")
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("CREATE UNIQUE INDEX CONCURRENTLY anomaly_by_agency ON projections.anomaly (agency)")
    assert await unbuilt(connection) == ["projections.anomaly_by_agency"]
    assert (await migrate_database(settings)).built == ["anomaly_by_agency"]
    assert await unbuilt(connection) == []


async def test_an_index_of_what_older_rows_do_not_have_waits_for_their_rebuild(
    settings: Settings, connection: Connection
) -> None:
    await connection.execute("ALTER TABLE campaigns.route DROP COLUMN campaign_id; DROP TABLE revenue.reversal")
    await connection.execute("DROP INDEX revenue.receipt_of_period")
    assert (await migrate_database(settings)).built == ["receipt_of_period"]


async def test_a_migration_outside_a_transaction_goes_on_where_it_was_interrupted(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(
        "INSERT INTO delivery.message (route, agency, team, endpoint_id, kind, event_id, lane)"
        " SELECT route, 'a', 't', 'ep', 'k', n::text, 'l' FROM (VALUES ('webhook'), ('email')) AS r (route),"
        " generate_series(1, 15000) AS n"
    )
    await connection.execute(
        "INSERT INTO delivery.attempt (message_id, number, at, latency_ms)"
        " SELECT message_id, 1, now(), 1 FROM delivery.message"
    )
    await connection.execute("DELETE FROM public.migration WHERE name LIKE '0046%'")
    await connection.execute("DROP INDEX delivery.message_waiting")
    ran: list[str] = []

    async def killed(connection: Connection, statement: str) -> list[str]:
        if statement.startswith("DROP INDEX"):
            raise ConnectionError
        ran.append(statement)
        return await run(connection, statement)

    with monkeypatch.context() as patched:
        patched.setattr("infra.postgres.migrate.run", killed)
        with pytest.raises(ConnectionError):
            await migrate(connection)
    assert len(ran) == 2, "what was done stays"
    sent = "SELECT route, count(a.endpoint_id) FROM delivery.attempt a JOIN delivery.message USING (message_id)"
    assert dict(await connection.fetch(f"{sent} GROUP BY route")) == {"webhook": 15_000, "email": 0}
    assert await migrate(connection) == ["0046_delivery_lists_outside.sql"]
    assert await connection.fetchval("SELECT to_regclass('delivery.attempt_without_endpoint') IS NULL")
    assert await connection.fetchval("SELECT to_regclass('delivery.message_waiting') IS NOT NULL")


async def unbuilt(connection: Connection) -> list[str]:
    return [
        name
        for (name,) in await connection.fetch("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
    ]


async def test_a_migration_that_fails_leaves_nothing_behind(connection: Connection) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await create_tables(connection, "counting", ["CREATE TABLE t ()", "nonsense"])
    assert await connection.fetchval("SELECT to_regnamespace('counting')") is None


@every("table", ["segment", "node", "checkpoint", "event_id", "run", "duplicate", "refusal"])
async def test_the_log_can_only_grow(connection: Connection, table: str) -> None:
    column = await connection.fetchval(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'log' AND table_name = $1", table
    )
    for statement in ("DELETE FROM log.{}", "TRUNCATE log.{} CASCADE", "UPDATE log.{} SET {}"):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await connection.execute(statement.format(table, f"{column} = {column}"))


async def test_a_position_only_grows(connection: Connection) -> None:
    await connection.execute("INSERT INTO platform.position (consumer, position, epoch) VALUES ('c', 5, 2)")
    for change in ("position = 4", "epoch = 1"):
        with pytest.raises(asyncpg.RaiseError, match="may only grow"):
            await connection.execute(f"UPDATE platform.position SET {change}")
