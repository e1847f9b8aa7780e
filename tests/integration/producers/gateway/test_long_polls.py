"""Long polls are woken by the database, and look again when a notification may have been lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from infra.kafka.client_config import agency_topic
from infra.postgres import verdicts
from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.gateway.routes import lookups
from tests.world.senders import GatewayHarness, run_gateway
from tests.world.waits import until

TOPIC, OTHERS_TOPIC = agency_topic("health"), agency_topic("labour")
POLLS_MAX = 3
LISTENING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'yesser gateway notifications'"
END_IT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'yesser gateway notifications'"
)
SOON_S = 5.0
"""Far less than a poll may wait."""


@pytest.fixture
async def harness(settings: Settings, connection: Connection) -> AsyncIterator[GatewayHarness]:
    async with run_gateway(settings, connection, gateway_holder_long_polls_max=POLLS_MAX) as opened:
        await connection.execute("INSERT INTO log.read_position (topic) VALUES ($1)", TOPIC)
        await until(lambda: is_listening(opened), "the gateway listens")
        yield opened


async def is_listening(harness: GatewayHarness) -> bool:
    return bool(await harness.connection.fetchval(LISTENING))


async def move(harness: GatewayHarness, topic: str = TOPIC) -> None:
    """One more record has its verdict."""
    moved = "UPDATE log.read_position SET next_offset = next_offset + 1 WHERE topic = $1"
    await harness.connection.execute(moved, topic)


def poll(harness: GatewayHarness, since: int = 0, wait_s: float = 30) -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(harness.get(f"/v1/receipts?since={since}&wait_s={wait_s}"))


class Looks:
    """How often the read position was looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number = 0
        read = verdicts.read_topic_state

        async def counted(connection: Connection, topic: str) -> object:
            self.number += 1
            return await read(connection, topic)

        monkeypatch.setattr(lookups, "read_topic_state", counted)


async def test_a_verdict_ends_a_poll_that_only_waits(harness: GatewayHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(monkeypatch)
    waiting = poll(harness)
    await until(lambda: looks.number, "the poll began")
    await move(harness, OTHERS_TOPIC)
    await asyncio.sleep(0.5)
    assert not waiting.done()
    assert looks.number == 1, "once, when it began; a verdict on another agency's record wakes nobody"
    await move(harness)
    assert await next_of(waiting) == 1

    waiting = poll(harness, since=1)
    await until(lambda: looks.number >= 3, "the second poll began")
    await harness.connection.execute(END_IT)

    async def is_lost() -> bool:
        return not await is_listening(harness)

    await until(is_lost, "the connection is lost")
    await move(harness)
    assert not waiting.done()
    assert await next_of(waiting) == 2, "what came while the connection was lost"


async def next_of(waiting: asyncio.Task[httpx.Response]) -> int:
    """Where the next poll begins; the answer comes soon."""
    async with asyncio.timeout(SOON_S):
        following: int = (await waiting).json()["next"]
    return following


async def test_one_holder_has_a_few_long_polls_at_once_and_others_have_theirs(harness: GatewayHarness) -> None:
    for _ in range(2 * POLLS_MAX):
        async with httpx.AsyncClient(base_url=harness.client.base_url, trust_env=False, verify=False) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.get("/v1/receipts?wait_s=30", headers=harness.client.headers, timeout=0.2)
    assert (await poll(harness, wait_s=0.1)).status_code == 200, "a client that goes away gives its poll back"
    waiting = [poll(harness) for _ in range(POLLS_MAX)]
    await asyncio.sleep(0.5)
    refused = await poll(harness)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (429, "too-many-requests")
    assert refused.headers["retry-after"] == "1"
    assert (await poll(harness, wait_s=0)).status_code == 200, "one that waits for nothing is no long poll"
    labour = await harness.another("agency", "labour")
    assert (await harness.client.get("/v1/receipts?wait_s=0.1", headers=labour)).status_code == 200
    await move(harness)
    assert [(await one).status_code for one in waiting] == [200] * POLLS_MAX
    assert (await poll(harness)).status_code == 200
