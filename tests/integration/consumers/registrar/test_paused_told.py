"""An agency whose topic is paused is told so wherever it looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.events import encoded
from tests.world.senders import GatewayHarness, event, run_gateway

UNTIL = datetime(2030, 1, 1, tzinfo=UTC)
REASON = {
    "ar": "رُفض 500 من السجلات ولم يُقبل بينها إلا القليل",
    "en": "500 records were refused, and few were accepted between them",
}
PAUSED = {"until": "2030-01-01T00:00:00+00:00", "reason": REASON}


@pytest.fixture
async def harness(settings: Settings, connection: Connection) -> AsyncIterator[GatewayHarness]:
    async with run_gateway(settings, connection) as opened:
        await connection.execute(
            "INSERT INTO log.read_position (topic, paused_until, paused_times, paused_reason) "
            "VALUES ('agency.health.events', $1, 1, $2)",
            UNTIL,
            REASON,
        )
        yield opened


async def test_receipts_and_the_answer_to_new_events_say_until_when_and_why(harness: GatewayHarness) -> None:
    assert (await harness.get("/v1/receipts")).json()["paused"] == PAUSED
    answer = await harness.send(encoded(event(1)))
    assert answer.status_code == 202, "what is sent meanwhile is durable, and read later"
    assert answer.json()["paused"] == PAUSED
    other = await harness.another("agency", "labour")
    assert "paused" not in (await harness.client.get("/v1/receipts", headers=other)).json()
