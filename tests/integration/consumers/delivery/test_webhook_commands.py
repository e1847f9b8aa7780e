"""`yesser webhooks list | attempts | redeliver | disable | enable`, as an operator runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from consumers.delivery.teams.webhook_commands import webhooks
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.delivery.hooks import add_endpoint, for_hooks, subscribe
from tests.integration.consumers.read_api.read_api import REGISTER

EP = "ep_aaaaaaaaaaaaaaa"
EP_1, EP_2 = f"{EP}2", f"{EP}3"
Run = Callable[..., Any]


@pytest.fixture
async def run(
    settings: Settings,
    connection: Connection,
    environment: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Runs a command of the group; returns its result."""
    for name, value in environment(YESSER_OPERATOR="duty-desk").items():
        monkeypatch.setenv(name, value)
    settings = for_hooks(settings)
    await connection.execute(REGISTER, "health", "agency")
    for number in (1, 2):
        await add_endpoint(connection, settings, f"{EP}{number + 1}", f"https://hooks.example/{number}")
        await subscribe(connection, f"{EP}{number + 1}")
    for number in range(3):
        await connection.execute(
            "INSERT INTO delivery.message (subscription_id, route, agency, team, endpoint_id, kind, event_id,"
            " log_index, campaign_id, lane, state, attempts, created_at, queued)"
            " SELECT subscription_id, 'webhook', agency, team,"
            " endpoint_id, 'triggered', 'i' || $1::int, $1::int, 'service-launched.i1',"
            " 'service/S',"
            " CASE WHEN $1::int = 2 THEN 'waiting' ELSE 'failed' END, 1, '2026-11-01T08:00Z'::timestamptz"
            " + $1::int * interval '1 hour', true FROM delivery.subscription WHERE endpoint_id = 'ep_aaaaaaaaaaaaaaa2'",
            number,
        )
    await connection.execute(
        "INSERT INTO delivery.attempt"
        " SELECT message_id, 1, created_at, 503, 17, NULL, 'down', endpoint_id FROM delivery.message"
    )

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, webhooks, arguments)

    return invoke


async def document(run: Run, *arguments: str) -> Any:
    result = await run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout)


async def test_the_list_and_the_attempts_say_how_a_webhook_does(run: Run) -> None:
    first, second = await document(run, "list", "--agency", "health")
    assert (first["endpoint_id"], first["waiting"], first["undelivered"], first["last_status"]) == (EP_1, 1, 2, 503)
    assert (second["waiting"], second["last_status"]) == (0, None)
    assert await document(run, "list", "--agency", "labour") == []
    rows = await document(run, "attempts", EP_1, "--limit", "2")
    assert [(row["event_id"], row["status"], row["answer"], row["latency_ms"]) for row in rows] == [
        ("i2", 503, "down", 17),
        ("i1", 503, "down", 17),
    ]
    assert EP_1 in (await run("list")).output
    assert "503" in (await run("attempts", EP_1)).output


async def test_one_message_or_those_of_a_span_are_sent_again(run: Run, connection: Connection) -> None:
    first = await connection.fetchval("SELECT min(message_id) FROM delivery.message")
    assert len((await document(run, "redeliver", EP_1, "--message", str(first)))["messages"]) == 1
    made = await document(run, "redeliver", EP_1, "--since", "2026-11-01T08:00Z", "--until", "2026-11-01T10:00Z")
    assert len(made["messages"]) == 1  # the first waits already, and the third always did
    rows = await connection.fetch(
        "SELECT event_id, lane, replay, queued, state FROM delivery.message WHERE replay ORDER BY message_id"
    )
    assert [tuple(row) for row in rows] == [(f"i{n}", "service/S/replay", True, False, "waiting") for n in (0, 1)]
    trail = [r["command"] for r in await connection.fetch("SELECT command, operator FROM platform.trail ORDER BY at")]
    assert trail[0] == f"webhooks redeliver {EP_1} --message {first}"
    nothing = await run("redeliver", EP_2, "--since", "2026-11-01T08:00Z")
    assert "No message fits" in str(nothing.exception)


@pytest.mark.parametrize(
    "arguments",
    [
        ("redeliver", EP_1),
        ("redeliver", EP_1, "--message", "1", "--since", "2026-11-01T08:00Z"),
        ("redeliver", EP_1, "--message", "1", "--until", "2026-11-01T08:00Z"),
        ("redeliver", EP_1, "--since", "yesterday"),
        ("attempts", EP_1, "--limit", "0"),
    ],
)
async def test_wrong_use_does_nothing(run: Run, connection: Connection, arguments: tuple[str, ...]) -> None:
    assert (await run(*arguments)).exit_code == 2
    assert await connection.fetchval("SELECT count(*) FROM platform.trail") == 0


async def test_a_disabled_webhook_gets_nothing_until_it_is_enabled(run: Run, connection: Connection) -> None:
    await connection.execute(
        "UPDATE delivery.endpoint SET failing_since = now() WHERE endpoint_id = 'ep_aaaaaaaaaaaaaaa2'"
    )
    for _ in range(2):
        await document(run, "disable", EP_1)
    (first, _) = await document(run, "list")
    assert first["disabled_reason"] == "by-team"
    refused = await run("redeliver", EP_1, "--since", "2026-11-01T08:00Z")
    assert "enable it first" in str(refused.exception)
    for _ in range(2):
        await document(run, "enable", EP_1)
    (first, _) = await document(run, "list")
    assert (first["disabled_reason"], first["failing_since"]) == (None, None)


@pytest.mark.parametrize("command", [("attempts",), ("disable",), ("enable",), ("redeliver", "--message", "1")])
async def test_an_unknown_webhook_is_named_as_such(run: Run, command: tuple[str, ...]) -> None:
    result = await run(command[0], f"{EP}7", *command[1:])
    assert result.exit_code != 0
    assert "yesser webhooks list" in str(result.exception)
