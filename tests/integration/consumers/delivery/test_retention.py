"""What the delivery process keeps, and for how long, on the real PostgreSQL with its own rights."""

from __future__ import annotations

import asyncio

import pytest

from consumers.delivery.delivery import Delivery
from consumers.delivery.retention import forget
from infra.postgres.connection import Connection
from infra.process import retention
from infra.settings import Settings
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
EPOCH = "SELECT epoch FROM platform.lease WHERE name = 'delivery'"
LEFT = "SELECT ARRAY[(SELECT count(*) FROM delivery.message), (SELECT count(*) FROM delivery.attempt)]"


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
    async with running(Delivery(settings, parts=(forget,))):

        async def is_clean() -> bool:
            return bool(await connection.fetchval(LEFT) == [33, 33])

        await until(is_clean, "the old ones are gone, and the attempts of 31 days ago")
    kinds = await connection.fetch("SELECT DISTINCT rtrim(event_id, '0123456789') AS kind FROM delivery.message")
    assert {row["kind"] for row in kinds} == {"young", "waiting"}


async def test_a_clean_up_that_fails_ends_no_term(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement that is cancelled ended the term of all routes, again and again."""
    monkeypatch.setattr(retention, "TRY_AGAIN_S", 0.05)
    settings = settings.model_copy(update={"statement_timeout_ms": 300})
    await connection.execute("INSERT INTO delivery.team (agency, team, name) VALUES ('health', 'media', '{}')")
    await connection.execute(MESSAGES, "old", "delivered", 401, 3)
    delivery = Delivery(settings, parts=(forget,))
    async with connection.transaction():
        await connection.execute("SELECT FROM delivery.message FOR UPDATE")
        async with running(delivery):

            async def is_first_term() -> bool:
                return bool(await connection.fetchval(EPOCH) == 1)

            await until(is_first_term, "it leads")
            await asyncio.sleep(1)
            assert await is_first_term()
            assert delivery.readiness().ready
    async with running(delivery):

        async def is_clean() -> bool:
            return bool(await connection.fetchval("SELECT count(*) FROM delivery.message") == 0)

        await until(is_clean, "they are deleted once they can be")
