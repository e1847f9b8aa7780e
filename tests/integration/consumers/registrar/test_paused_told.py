"""An agency whose topic is paused learns until when, and why, wherever it looks."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.postgres.connection import Connection
from tests.world.events import encoded
from tests.world.senders import GatewayHarness, event

REASON = {
    "ar": "رُفض 500 من السجلات ولم يُقبل بينها إلا القليل",
    "en": "500 records were refused, and few were accepted between them",
}
PAUSED = {"until": "2030-01-01T00:00:00+00:00", "reason": REASON}


async def test_receipts_and_answers_say_until_when_and_why(harness: GatewayHarness, connection: Connection) -> None:
    await connection.execute(
        "INSERT INTO log.read_position (topic, paused_until, paused_times, paused_reason) "
        "VALUES ('agency.health.events', $1, 1, $2)",
        datetime(2030, 1, 1, tzinfo=UTC),
        REASON,
    )
    assert (await harness.get("/v1/receipts")).json()["paused"] == PAUSED
    answer = await harness.send(encoded(event(1)))
    assert answer.status_code == 202, "what is sent meanwhile is durable, and read later"
    assert answer.json()["paused"] == PAUSED
    other = await harness.another("agency", "labour")
    assert "paused" not in (await harness.client.get("/v1/receipts", headers=other)).json()
