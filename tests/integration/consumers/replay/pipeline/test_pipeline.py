"""The one loop on the real Kafka and PostgreSQL: each entry once, in order, whatever comes over Kafka and when."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.version import FoldVersion
from consumers.replay.pipeline.batch import Batch
from consumers.replay.pipeline.pipeline import Pipeline
from consumers.replay.pipeline.writer import Writer
from events.wire.entry import Entry, parse_entry
from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import UnitOfWork
from infra.settings import Settings
from tests.integration.consumers.replay.pipeline.counting import (
    COUNTING,
    COUNTING_BY_TYPE,
    SELDOM_S,
    applied,
    fold,
    position,
    until_position,
)
from tests.world.logs import grow, ship, small_entry
from tests.world.registrars import terminate
from tests.world.topics import drop_topic, make_topics, silent_kafka
from tests.world.waits import intervals, running, until

pytestmark = pytest.mark.usefixtures("log_topics")


def pipeline(settings: Settings, consumer: Consumer = COUNTING) -> Pipeline:
    return Pipeline(consumer, settings)


def fed(settings: Settings) -> Pipeline:
    """Kafka alone brings entries: it does not look at the log meanwhile."""
    return Pipeline(COUNTING, settings, look_at_log_s=SELDOM_S)


async def test_records_apply_as_they_come_and_bundles_fill_the_gaps(settings: Settings, connection: Connection) -> None:
    one = fed(settings)
    async with running(one):
        await grow(settings, 300)
        await ship(settings, range(300))
        await until_position(connection, 300)
        assert one.readiness().ready
        expected = {"position": 300, "log_size": 300, "lag": 0}
        await until(lambda: one.readiness().details.items() >= expected.items(), "the lag is known")
        async with connection.transaction():
            await connection.execute("SELECT FROM platform.position WHERE consumer = 'counting' FOR UPDATE")
            await grow(settings, 30)
            await ship(settings, range(300, 330))
            await until(lambda: one.readiness().details["lag"] == 30, "the lag is shown while a batch is under way")
            await until(lambda: "held_by" in one.readiness().details, "what it waits for is shown")
            name = await connection.fetchval("SELECT current_setting('application_name')")
            assert one.readiness().details["held_by"] == {"counting": name}
        await until_position(connection, 330)
    await grow(settings, 100)
    await ship(settings, range(280, 430))
    async with running(fed(settings)):
        await until_position(connection, 430)
        gaps = "SELECT gaps_filled FROM platform.position WHERE consumer = 'counting'"
        assert await connection.fetchval(gaps) == 0, "it goes on from its position after a restart"
        await grow(settings, 600)
        with capture_logs() as lines:
            # Those below the position are skipped.
            await ship(settings, [430 + index for index in (0, 1, 2, 1, 2, 3, 0, 300, 301, 5, 302, 599)])
            await until_position(connection, 1030)
    assert await connection.fetchval(gaps) == 296 + 296
    assert [line["entries"] for line in lines if "gap" in line["event"]] == [296, 296]


async def test_an_entry_that_is_not_the_logs_halts_its_whole_batch_and_so_does_one_that_the_database_lacks(
    settings: Settings, connection: Connection
) -> None:
    await grow(settings, 20)
    one = fed(settings)
    async with running(one):
        await ship(settings, range(5))
        await until_position(connection, 5)
        with capture_logs() as lines:
            await ship(settings, [5, 6])
            await until_position(connection, 7)
            await ship(settings, [7, 8], change=lambda raw: raw.replace(b"word", b"lies"))
            await until(lambda: one.progress.halted is not None, "it halts")
            assert not one.readiness().ready
            assert one.readiness().healthy
            reason = await connection.fetchval("SELECT halted_reason FROM platform.position")
            assert "index 7" in reason
            await intervals(settings.halted_retry_ms)
            assert await position(connection) == 7
            assert await applied(connection) == list(range(7))
        assert sum("halted" in line["event"] for line in lines) == 1, "said once, however often it is tried"
        await drop_topic(settings, settings.log_topic)
        await make_topics(settings)
        await ship(settings, range(20))
        await until_position(connection, 20)
        assert one.progress.halted is None
        assert await connection.fetchval("SELECT halted_reason FROM platform.position") is None
        await grow(settings, 3)
        await ship(settings, [20, 21, 22, 29])
        await until(lambda: "yesser recover" in str(one.progress.halted), "it halts: the topic is ahead")
        assert await applied(connection) == list(range(23))


async def test_a_fold_that_fails_for_now_is_waited_for_and_a_bug_is_said_once_and_halts_at_its_entry(
    settings: Settings, connection: Connection
) -> None:
    attempts: list[int] = []
    is_slow = True

    def fail(ws: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
        if is_slow:
            raise TimeoutError("the database ended the transaction")
        if any(entry.index == 2 for entry in entries):
            attempts.append(len(entries))
            raise ZeroDivisionError("a bug")
        return fold(ws, entries)

    def too_large(ws: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
        return fold(ws, [parse_entry(2**70, small_entry(0))])

    await grow(settings, 93)
    one = pipeline(settings, replace(COUNTING, fold=fail))
    with capture_logs() as lines:
        async with running(one):
            await until(lambda: one.readiness().details["lag"] == 93, "the lag is shown while nothing can be applied")
            await grow(settings, 7)
            await until(lambda: one.readiness().details["lag"] == 100, "the lag grows with the log")
            assert one.readiness().details == one.readiness().details | {"position": 0, "log_size": 100}
            is_slow = False
            await until(lambda: attempts.count(1) > 1, "it tries the entry again")
    assert [line["event"] for line in lines].count("halted: nothing more is written") == 1
    assert await position(connection) == 2
    assert "entry 2 meets a bug" in await connection.fetchval("SELECT halted_reason FROM platform.position")
    with pytest.raises(SystemExit) as ended:  # a value that does not fit its column is no reason to wait
        await pipeline(settings, replace(COUNTING, fold=too_large)).run(asyncio.Event())
    assert ended.value.code == 70
    async with running(pipeline(settings)):
        await until_position(connection, 100)
    assert await connection.fetchval("SELECT halted_reason FROM platform.position") is None


async def test_other_rules_rebuild_the_rows_before_they_apply_and_a_process_with_older_rules_ends(
    settings: Settings, connection: Connection
) -> None:
    """Between two states of a release under way, and then with a table that the older release never made."""
    await grow(settings, 300)
    async with running(pipeline(settings)):
        await until_position(connection, 300)
    await grow(settings, 5)
    with capture_logs() as logs:
        async with running(pipeline(settings, replace(COUNTING, version=FoldVersion(1, "changed")))):
            await until_position(connection, 305)
    assert await connection.fetchval("SELECT fold_sha256 FROM platform.position") == "changed"
    (begun,) = [line for line in logs if "another version" in line["event"]]
    assert (begun["entries"], begun["of"]) == (0, 300)
    await connection.execute("SELECT pg_advisory_lock(7370002, hashtext('counting'))")
    await grow(settings, 50)
    async with running(pipeline(settings, COUNTING_BY_TYPE)):
        await intervals(settings.retry_wait_max_ms, count=1)
        assert await position(connection) == 305, "a rebuild under way elsewhere is waited for"
        await connection.execute("SELECT pg_advisory_unlock(7370002, hashtext('counting'))")
        await until_position(connection, 355)
    assert await connection.fetchval("SELECT count(*) FROM counting.applied") == 355
    assert await connection.fetchval("SELECT count FROM counting.counted") == 355
    [row] = await connection.fetch("SELECT rules_version, fold_sha256, folds_from FROM platform.position")
    assert tuple(row) == (2, "by type", 305)
    with pytest.raises(SystemExit) as ended:
        await pipeline(settings).run(asyncio.Event())
    assert ended.value.code == 78
    assert await connection.fetchval("SELECT expires_at < clock_timestamp() FROM platform.lease WHERE name LIKE 'c%'")


async def test_a_changed_entry_in_the_database_halts(settings: Settings, connection: Connection) -> None:
    await grow(settings, 20)
    await connection.execute("ALTER TABLE log.segment DISABLE TRIGGER append_only")
    await connection.execute("UPDATE log.segment SET entries = overlay(entries PLACING '!'::bytea FROM 3)")
    one = pipeline(settings)
    async with running(one):
        await until(lambda: one.progress.halted is not None, "it halts")
        assert "entry 0 of the log was changed" in str(one.progress.halted)
        assert await position(connection) == 0


async def test_a_standby_takes_over_and_who_lost_applies_nothing(settings: Settings, connection: Connection) -> None:
    await grow(settings, 10)
    first, second = pipeline(settings.model_copy(update={"lease_renew_ms": 60_000})), pipeline(settings)
    async with running(first):
        await until_position(connection, 10)
        async with running(second):
            await until(lambda: second.progress.standby, "one works and one stands by")
            assert second.readiness().ready
            await connection.execute("UPDATE platform.lease SET expires_at = now() - interval '1 s'")
            await until(lambda: connection.fetchval("SELECT epoch = 2 FROM platform.position"), "the second takes over")
            for _ in range(10):
                await grow(settings, 20)
                await asyncio.sleep(0.1)
            await until_position(connection, 210)
            assert second.readiness().details["role"] == "active"


async def test_while_kafka_is_away_the_log_is_read_from_postgresql(settings: Settings, connection: Connection) -> None:
    await grow(settings, 300)
    async with silent_kafka(settings) as elsewhere, running(pipeline(elsewhere)):
        await until_position(connection, 300)
        await grow(settings, 10)
        await until_position(connection, 310)
    nowhere = settings.model_copy(update={"kafka": "127.0.0.1:1"})
    await grow(settings, 10)
    with capture_logs() as lines:
        async with running(pipeline(nowhere)):
            await until_position(connection, 320)
            await intervals(settings.retry_wait_max_ms)
    assert sum("Kafka is away" in line["event"] for line in lines) == 1, "said once, and not at every try"


async def test_while_postgresql_is_away_it_waits_and_then_goes_on(settings: Settings, connection: Connection) -> None:
    await grow(settings, 50)
    one = pipeline(settings)
    with capture_logs() as lines:
        async with running(one):
            await until_position(connection, 50)
            address = settings.postgres
            one.settings.postgres = "postgresql://yesser@127.0.0.1:1/none"
            await terminate(settings, "counting%")
            await grow(settings, 50)
            await intervals(settings.retry_wait_max_ms)
            assert await position(connection) == 50
            one.settings.postgres = address
            await until_position(connection, 100)
    said_of_it = [line["event"] for line in lines if line["event"] in ("waiting to try again", "going on")]
    assert said_of_it == ["waiting to try again", "going on"]


async def test_commits_with_an_unknown_outcome_are_applied_once(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: dict[int, int] = {}
    commit = Writer._commit

    async def cut_off(self: Writer, batch: Batch, *how: object) -> None:
        first = batch.first_index
        if first == 100 and first not in cut:
            cut[first] = await terminate(settings, "counting")
        await commit(self, batch, *how)  # type: ignore[arg-type]
        if first == 200 and first not in cut:
            cut[first] = await terminate(settings, "counting")
            raise ConnectionError("the answer to COMMIT was lost")

    monkeypatch.setattr(Writer, "_commit", cut_off)
    await grow(settings, 100)
    async with running(pipeline(settings)):
        for end in (100, 200):
            await until_position(connection, end)
            await grow(settings, 100)
            await ship(settings, range(end, end + 100))
        await until_position(connection, 300)
    assert cut == {100: 1, 200: 1}


async def test_a_stop_in_the_middle_of_a_batch_leaves_it_whole(settings: Settings, connection: Connection) -> None:
    await grow(settings, 3000)
    for _ in range(2):
        async with running(pipeline(settings)):
            await asyncio.sleep(0.12)
        at = await position(connection)
        assert await applied(connection) == list(range(at))
        assert await connection.fetchval(
            "SELECT expires_at < clock_timestamp() FROM platform.lease WHERE name LIKE 'c%'"
        )
    async with running(pipeline(settings)):
        await until_position(connection, 3000)
