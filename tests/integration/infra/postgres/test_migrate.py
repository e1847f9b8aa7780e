"""The database comes to this version's form by itself, when its first process starts, and the log can only grow."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from consumers.models.migrate_command import migrate_database
from infra.postgres.connection import Connection, connect
from infra.postgres.migrate import MigrationChanged, create_tables, migrate, run
from infra.settings import Settings
from tests.world.waits import until

SEGMENTS = "FROM pg_class c JOIN pg_class t ON t.oid = 'log.segment'::regclass WHERE c.oid IN (t.oid, t.reltoastrelid)"
"""The table of segments, and that of their long values."""
VACUUMED = f"SELECT bool_and(pg_stat_get_autovacuum_count(c.oid) > 0 AND c.relallvisible > 0) {SEGMENTS}"


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


async def test_what_was_applied_stays_and_later_changes_are_named(settings: Settings, connection: Connection) -> None:
    assert await migrate_database(settings) == ([], [], [])
    await connection.execute("ALTER TABLE public.migration DROP COLUMN sha256")  # as an older version left it
    assert await migrate(connection) == []
    assert await connection.fetchval("SELECT bool_and(length(sha256) = 32) FROM public.migration")
    await connection.execute("UPDATE public.migration SET sha256 = '\\x00' WHERE name LIKE '0003%'")
    await connection.execute("DELETE FROM public.migration WHERE name LIKE '0001%'")
    with pytest.raises(MigrationChanged, match=r"Restore its text.* Changed: 0003_registration.sql\."):
        await migrate(connection)
    applied = "SELECT count(*) FROM public.migration WHERE name LIKE '0001%'"
    assert await connection.fetchval(applied) == 0, "nothing is applied"


async def test_missing_indexes_are_built_by_one_of_many(settings: Settings, connection: Connection) -> None:
    await connection.execute("DROP INDEX revenue.receipt_with_partner, campaigns.route_of_campaign")
    done = await asyncio.gather(*(migrate_database(settings) for _ in range(3)))
    assert sorted(sorted(found.built) for found in done) == [[], [], ["receipt_with_partner", "route_of_campaign"]]
    assert await unbuilt(connection) == []

    rows = "SELECT n, n, 'r', 't', 's', 'health', '{}', '{}' FROM generate_series(1, 2) AS n"
    await connection.execute(f"INSERT INTO projections.anomaly {rows}")
    await connection.execute("DROP INDEX projections.anomaly_by_agency")
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("CREATE UNIQUE INDEX CONCURRENTLY anomaly_by_agency ON projections.anomaly (agency)")
    assert await unbuilt(connection) == ["projections.anomaly_by_agency"], "its build was interrupted"
    assert (await migrate_database(settings)).built == ["anomaly_by_agency"]
    assert await unbuilt(connection) == []

    await connection.execute("ALTER TABLE campaigns.route DROP COLUMN campaign_id; DROP TABLE revenue.reversal CASCADE")
    await connection.execute("DROP INDEX revenue.receipt_with_partner")
    built = (await migrate_database(settings)).built
    assert built == ["receipt_with_partner"], "one of what older rows do not have waits for their rebuild"


async def test_a_migration_goes_on_where_it_stopped(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
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


async def test_log_and_position_only_grow_and_a_failed_migration_leaves_nothing(connection: Connection) -> None:
    for table in ("segment", "node", "checkpoint", "event_id", "run", "duplicate", "refusal"):
        column = await connection.fetchval(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'log' AND table_name = $1", table
        )
        for statement in ("DELETE FROM log.{}", "TRUNCATE log.{} CASCADE", "UPDATE log.{} SET {}"):
            with pytest.raises(asyncpg.RaiseError, match="append-only"):
                await connection.execute(statement.format(table, f"{column} = {column}"))
    await connection.execute("INSERT INTO platform.position (consumer, position, epoch) VALUES ('c', 5, 2)")
    for change in ("position = 4", "epoch = 1"):
        with pytest.raises(asyncpg.RaiseError, match="may only grow"):
            await connection.execute(f"UPDATE platform.position SET {change}")
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await create_tables(connection, "counting", ["CREATE TABLE t ()", "nonsense"])
    assert await connection.fetchval("SELECT to_regnamespace('counting')") is None


async def test_rows_of_the_log_are_frozen_by_the_first_vacuum(connection: Connection) -> None:
    each = "first_index, entries_count, entries, leaves"
    bundles = "SELECT 256 * n, 256, decode(repeat('00', 4000), 'hex'), decode(repeat('00', 32 * 256), 'hex')"
    await connection.execute(f"INSERT INTO log.segment ({each}) {bundles} FROM generate_series(0, 99) AS n")
    await connection.execute(
        "ALTER TABLE log.segment SET (autovacuum_vacuum_insert_threshold = 0, autovacuum_vacuum_insert_scale_factor = 0"
        ", toast.autovacuum_vacuum_insert_threshold = 0, toast.autovacuum_vacuum_insert_scale_factor = 0)"
    )
    await connection.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
    await connection.execute("SELECT pg_reload_conf()")
    try:
        await until(lambda: connection.fetchval(VACUUMED), "an automatic vacuum of the segments", 60, every_s=0.5)
    finally:
        await connection.execute("ALTER SYSTEM RESET autovacuum_naptime")
        await connection.execute("SELECT pg_reload_conf()")
    for row in await connection.fetch(f"SELECT c.relname, c.relpages, c.relallfrozen {SEGMENTS}"):
        assert row["relallfrozen"] == row["relpages"] > 0, row["relname"]
