"""`yesser webhooks list | attempts | redeliver | disable | enable`, as an operator runs them."""

from __future__ import annotations

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.read_api.read_api import REGISTER
from tests.world.commands import Yesser
from tests.world.teams import add_endpoint, add_messages, for_hooks, subscribe

EP_1, EP_2 = (f"ep_aaaaaaaaaaaaaaa{number}" for number in (2, 3))
NONE = "ep_aaaaaaaaaaaaaaa7"


async def test_an_operator_looks_after_a_webhook(yesser: Yesser, settings: Settings, connection: Connection) -> None:
    """There are two; the first has two messages that failed and one that waits."""
    settings = for_hooks(settings)
    await connection.execute(REGISTER, "health", "agency")
    for endpoint_id in (EP_1, EP_2):
        await add_endpoint(connection, settings, endpoint_id, f"https://hooks.example/{endpoint_id}")
        await subscribe(connection, endpoint_id)
    await add_messages(connection, EP_1, ("failed", "failed", "waiting"))

    first, second = await yesser.document("webhooks", "list", "--agency", "health")
    assert (first["endpoint_id"], first["waiting"], first["undelivered"], first["last_status"]) == (EP_1, 1, 2, 503)
    assert (second["waiting"], second["last_status"]) == (0, None)
    assert await yesser.document("webhooks", "list", "--agency", "labour") == []
    rows = await yesser.document("webhooks", "attempts", EP_1, "--limit", "2")
    assert [(row["event_id"], row["status"], row["answer"], row["latency_ms"]) for row in rows] == [
        ("i2", 503, "down", 17),
        ("i1", 503, "down", 17),
    ]
    assert EP_1 in await yesser.output("webhooks", "list")
    assert "503" in await yesser.output("webhooks", "attempts", EP_1)

    for arguments in (
        ("redeliver", EP_1),
        ("redeliver", EP_1, "--message", "1", "--since", "2026-11-01T08:00Z"),
        ("redeliver", EP_1, "--message", "1", "--until", "2026-11-01T08:00Z"),
        ("redeliver", EP_1, "--since", "yesterday"),
        ("attempts", EP_1, "--limit", "0"),
    ):
        assert (await yesser.run("webhooks", *arguments)).exit_code == 2, arguments
    for command, *more in (("attempts",), ("disable",), ("enable",), ("redeliver", "--message", "1")):
        result = await yesser.run("webhooks", command, NONE, *more)
        assert "yesser webhooks list" in str(result.exception), command
    assert await connection.fetchval("SELECT count(*) FROM platform.trail") == 0

    message = await connection.fetchval("SELECT min(message_id) FROM delivery.message")
    assert len((await yesser.document("webhooks", "redeliver", EP_1, "--message", str(message)))["messages"]) == 1
    span = ("--since", "2026-11-01T08:00Z", "--until", "2026-11-01T10:00Z")
    made = await yesser.document("webhooks", "redeliver", EP_1, *span)
    assert len(made["messages"]) == 1, "the first waits already, and the third always did"
    rows = await connection.fetch(
        "SELECT event_id, lane, replay, queued, state FROM delivery.message WHERE replay ORDER BY message_id"
    )
    assert [tuple(row) for row in rows] == [(f"i{n}", "service/S/replay", True, False, "waiting") for n in (0, 1)]
    trail = await connection.fetchval("SELECT command FROM platform.trail ORDER BY at LIMIT 1")
    assert trail == f"webhooks redeliver {EP_1} --message {message}"
    nothing = await yesser.run("webhooks", "redeliver", EP_2, "--since", "2026-11-01T08:00Z")
    assert "No message fits" in str(nothing.exception)

    await connection.execute("UPDATE delivery.endpoint SET failing_since = now() WHERE endpoint_id = $1", EP_1)
    for _ in range(2):
        await yesser.document("webhooks", "disable", EP_1)
    assert (await yesser.document("webhooks", "list"))[0]["disabled_reason"] == "by-team"
    refused = await yesser.run("webhooks", "redeliver", EP_1, "--since", "2026-11-01T08:00Z")
    assert "enable it first" in str(refused.exception)
    for _ in range(2):
        await yesser.document("webhooks", "enable", EP_1)
    first, _ = await yesser.document("webhooks", "list")
    assert (first["disabled_reason"], first["failing_since"]) == (None, None)
