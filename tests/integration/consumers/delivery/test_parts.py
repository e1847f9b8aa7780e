"""The parts of the delivery process side by side on the real PostgreSQL: what one of them lacks is its own."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from consumers.delivery.delivery import Delivery, forget
from consumers.delivery.timers import timers
from consumers.delivery.timers.timers import set_off
from consumers.delivery.webhooks.route import send
from events.errors import Halt
from infra.postgres.connection import Connection
from infra.process import retention
from infra.process.leader_election import Term
from infra.process.tasks import pause
from infra.settings import Settings
from tests.world.teams import live_launches, set_position
from tests.world.waits import running, until

MESSAGES = (
    "INSERT INTO delivery.message (route, agency, team, kind, event_id, lane, state, created_at, ended_at)"
    " SELECT 'email', 'health', 'media', 'digest', $1 || n, 'digest', $2::text, now() - interval '900 days',"
    " CASE WHEN $2 <> 'waiting' THEN now() - make_interval(days => $3) END"
    " FROM generate_series(1, $4) n"
)
ATTEMPTS = (
    "INSERT INTO delivery.attempt (message_id, number, at, latency_ms)"
    " SELECT message_id, $1, now() - make_interval(days => $2), 1 FROM delivery.message"
)
LEFT = "SELECT ARRAY[(SELECT count(*) FROM delivery.message), (SELECT count(*) FROM delivery.attempt)]"
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('yesser webhooks', 'yesser delivery timers')"
LATER = datetime(2026, 12, 1, tzinfo=UTC)
TRIES = 12


async def test_timers_wait_for_the_rows_and_escalate_also_while_another_part_is_halted(
    settings: Settings, connection: Connection
) -> None:
    story, (campaign,) = await live_launches(connection)
    await set_position(connection, len(story.entries) - 1)
    key = asyncio.Event()
    key.set()

    async def needs_a_key(settings: Settings, term: Term, round_ended: Callable[[], None]) -> None:
        while key.is_set() and not term.stop.is_set():
            round_ended()
            await pause(term.stop, 0.02)
        if not key.is_set():
            raise Halt("the key is missing")

    async def database_clock(_: Connection) -> datetime:
        return LATER

    due = partial(set_off, clock=lambda: LATER, database_clock=database_clock)
    delivery = Delivery(settings, parts=(needs_a_key, due))
    with capture_logs() as lines:
        async with running(delivery):
            await until(lambda: "timers are waiting" in [line["event"] for line in lines], "the timers wait")
            assert delivery.readiness().ready
            key.clear()
            await until(lambda: not delivery.readiness().ready, "the other part is halted")
            assert delivery.readiness().details["halted"] == "the key is missing"
            await set_position(connection, len(story.entries))
            decided = "SELECT array_agg(event_id) = ARRAY[$1] FROM platform.outbox"
            await until(partial(connection.fetchval, decided, f"escalated.{campaign}"), "the campaign is escalated")
            key.set()
            await until(lambda: delivery.readiness().ready, "the process is ready again")
    said = [line["event"] for line in lines if line["event"].startswith("timers")]
    assert said == ["timers are waiting", "timers go on"], "once"
    assert {line["error_class"] for line in lines if line["event"] == "timers are waiting"} == {"NotCaughtUp"}


def connections() -> int:
    gc.collect()
    return sum(type(found) is asyncpg.Connection for found in gc.get_objects())


async def test_parts_that_are_halted_keep_no_connection_of_an_earlier_try(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Webhooks without their key, and timers with a faulty rule file, are tried again every two seconds."""
    tries = 0

    def faulty() -> Any:
        nonlocal tries
        tries += 1
        raise Halt("a rule file is faulty")

    monkeypatch.setattr(timers, "rules_in_force", faulty)
    hasty = settings.model_copy(update={"halted_retry_ms": 10})
    async with running(Delivery(hasty, parts=(send, set_off))):
        await until(lambda: tries > 2, "both are halted")
        before = connections()
        await until(lambda: tries > 2 + TRIES, "they were tried often", every_s=0.01)
        # One of each part may be under way, and databases are made for other tests.
        assert connections() <= before + 5
        assert await connection.fetchval(OPEN) <= 4, "one of each part, and one that is ending"


async def test_what_ended_long_ago_is_deleted_in_batches_and_what_waits_stays(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS_MAX", 100)
    monkeypatch.setattr(retention, "REST_S", 0.001)
    settings = settings.model_copy(update={"messages_keep_days": 400, "webhook_attempts_keep_days": 30})
    await connection.execute("INSERT INTO delivery.team (agency, team, name) VALUES ('health', 'media', '{}')")
    await connection.execute(MESSAGES, "old", "delivered", 401, 950)
    await connection.execute(MESSAGES, "young", "failed", 399, 30)
    await connection.execute(MESSAGES, "waiting", "waiting", 0, 3)
    await connection.execute(ATTEMPTS, 1, 31)
    await connection.execute(ATTEMPTS, 2, 29)
    cleaned = f"{LEFT} = ARRAY[33, 33]::bigint[]"
    async with running(Delivery(settings, parts=(forget,))):
        await until(partial(connection.fetchval, cleaned), "the old ones are gone, and the attempts of 31 days ago")
    kinds = await connection.fetch("SELECT DISTINCT rtrim(event_id, '0123456789') AS kind FROM delivery.message")
    assert {row["kind"] for row in kinds} == {"young", "waiting"}
