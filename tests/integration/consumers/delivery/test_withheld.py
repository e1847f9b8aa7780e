"""What a receiver answered to a delivery of a text that is withheld now is deleted, and what came meanwhile too."""

from __future__ import annotations

from consumers.delivery.delivery_lease import LEASE
from consumers.delivery.withheld import delete_answers
from infra.postgres.connection import Connection, connected
from infra.process import lease
from infra.settings import Settings

MESSAGES = (
    "INSERT INTO delivery.message (route, agency, team, kind, event_id, log_index, lane)"
    " SELECT 'webhook', 'health', 'press', 'aired', 'i' || n, n, 'lane' FROM generate_series(5, 6) n"
)
ATTEMPT = (
    "INSERT INTO delivery.attempt (message_id, number, at, status, latency_ms, answer)"
    " SELECT message_id, $1, now(), 200, 9, 'Sara' FROM delivery.message"
)
TEXTS = (
    "INSERT INTO log.text (index, member, sha256, salt, value)"
    " SELECT n, 'outlet', sha256(n::text::bytea), decode(repeat('00', 16), 'hex'), '{}' FROM generate_series(5, 6) n"
)
WITHHOLD = "UPDATE log.text SET salt = NULL, withheld_index = $1 + 4 WHERE index = $1"
KEPT = (
    "SELECT array_agg((log_index, number)::text ORDER BY log_index, number)"
    " FROM delivery.attempt JOIN delivery.message USING (message_id) WHERE answer IS NOT NULL"
)


async def test_an_answer_that_may_repeat_a_withheld_text_is_deleted_once_its_attempt_has_ended(
    settings: Settings, connection: Connection
) -> None:
    await connection.execute(MESSAGES)
    await connection.execute(ATTEMPT, 1)
    await connection.execute(TEXTS)
    async with connected(settings.acting_as("delivery"), "test") as own:
        epoch = await lease.claim(own, LEASE, "test", settings)
        assert epoch is not None
        assert await delete_answers(own, epoch, 0) == 0, "nothing is withheld"
        await connection.execute(WITHHOLD, 5)
        looked = await delete_answers(own, epoch, 0)
        assert (looked, await connection.fetchval(KEPT)) == (10, ["(6,1)"])
        await connection.execute(ATTEMPT, 2)  # the answer to one that was being sent
        assert await delete_answers(own, epoch, looked) == 10
        assert await connection.fetchval(KEPT) == ["(6,1)", "(6,2)"]
        assert await delete_answers(own, epoch, looked) == 10, "and it does not begin again"
        await connection.execute(WITHHOLD, 6)
        assert await delete_answers(own, epoch, looked) == 11
        assert await connection.fetchval(KEPT) is None
