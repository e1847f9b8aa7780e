"""Several consumers in one process, on the real Kafka and PostgreSQL: read once, applied apart, and apart in their
faults."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from consumers.replay.fold.consumer import Consumer
from consumers.replay.pipeline import log_feed
from consumers.replay.pipeline.batch import Batch, parse_records
from consumers.replay.pipeline.pipeline import Host
from events.errors import Halt
from events.wire.entry import Entry
from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import UnitOfWork
from infra.settings import Settings
from tests.integration.consumers.replay.pipeline.counting import COUNTING, SELDOM_S, fold
from tests.world.logs import grow, ship
from tests.world.waits import running, until

pytestmark = pytest.mark.usefixtures("log_topics")

NAMES = ("first", "second", "third")


def named(name: str) -> Consumer:
    return replace(COUNTING, name=name, schema=name)


def fed(settings: Settings) -> Host:
    """Kafka alone brings entries: it does not look at the log meanwhile."""
    return Host(tuple(map(named, NAMES)), settings, look_at_log_s=SELDOM_S)


async def until_applied(connection: Connection, end: int, names: Sequence[str] = NAMES) -> None:
    reached = "SELECT count(*) = $3 FROM platform.position WHERE position = $1 AND consumer = ANY ($2)"
    what = f"{names} have applied {end} entries"
    await until(lambda: connection.fetchval(reached, end, names, len(names)), what)
    for name in names:
        rows = await connection.fetch(f"SELECT index FROM {name}.applied ORDER BY row_id")
        assert [index for (index,) in rows] == list(range(end)), f"{name}: each entry once, in order"


async def test_each_record_is_parsed_once_and_a_consumer_that_is_held_up_delays_the_others_by_a_second_at_most(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_feed, "WAIT_S", 0.2)
    parsed: list[int] = []

    def parse(records: Sequence[ConsumerRecord]) -> list[Batch]:
        parsed.append(len(records))
        return parse_records(records)

    monkeypatch.setattr(log_feed, "parse_records", parse)
    small = settings.model_copy(update={"batch_records_max": 64})
    one = fed(small)
    async with running(one):
        await grow(small, 700)
        await ship(small, range(700))
        await until_applied(connection, 700)
        assert sum(parsed) == 700
        assert one.readiness().ready
        found: dict[str, Any] = one.readiness().details
        assert (found["role"], found["lag"]) == ("active", 0)
        assert {name: state["position"] for name, state in found["consumers"].items()} == dict.fromkeys(NAMES, 700)
        assert await connection.fetchval("SELECT sum(gaps_filled) FROM platform.position") == 0
        async with connection.transaction():
            await connection.execute("SELECT FROM platform.position WHERE consumer = 'second' FOR UPDATE")
            await grow(small, 1000)
            await ship(small, range(700, 1700))
            await until_applied(connection, 1700, ("first", "third"))
        await until_applied(connection, 1700)
        await grow(small, 100)
        await ship(small, range(1700, 1800))
        await until_applied(connection, 1800)


async def test_faults_of_some_stop_no_other(settings: Settings, connection: Connection) -> None:
    errors: dict[str, Exception] = {
        "second": Halt("an invariant does not hold"),
        "third": ZeroDivisionError("what the event says"),
    }

    def failing(name: str) -> Consumer:
        def fail(ws: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
            if name in errors and entries[-1].index >= 100:
                raise errors[name]
            return fold(ws, entries)

        return replace(named(name), fold=fail)

    one = Host((named("first"), failing("second"), failing("third")), settings)
    async with running(one):
        for end in (100, 200, 300):
            await grow(settings, 100)
            await ship(settings, range(end - 100, end))
            await until_applied(connection, end, ("first",))

        def first_alone_is_ready() -> bool:
            found: dict[str, Any] = one.readiness().details
            ready = {name: state["ready"] for name, state in found["consumers"].items()}
            return ready == {"first": True, "second": False, "third": False} and "halted" in found

        await until(first_alone_is_ready, "the others are not ready")
        stopped = "SELECT position, halted_reason FROM platform.position WHERE consumer <> 'first' ORDER BY consumer"
        [(of_second, halted), (of_third, bug)] = await connection.fetch(stopped)
        assert (of_second, of_third) == (100, 100), "all that is before it is applied"
        assert halted == str(errors["second"])
        assert re.match(rf"entry 100 meets a bug .* \(ZeroDivisionError at {__name__}:\d+ fail < ", bug)
        assert str(errors["third"]) not in bug, "a message may hold what an event says"
        errors.clear()
        await until_applied(connection, 300)
        await until(lambda: one.readiness().ready, "the whole process is ready")


async def test_one_far_behind_reads_the_database_to_catch_up(settings: Settings, connection: Connection) -> None:
    small = settings.model_copy(update={"batch_records_max": 64})
    await grow(small, 1000)
    await ship(small, range(1000))
    async with running(Host((named("first"), named("second")), small)):
        await until_applied(connection, 1000, ("first", "second"))
    async with running(fed(small)):
        await until_applied(connection, 1000)
        await grow(small, 50)
        await ship(small, range(1000, 1050))
        await until_applied(connection, 1050)
