"""Webhooks on the real PostgreSQL and to real receivers: what is sent, in which order, and what follows each answer."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta

import pytest
from nacl.signing import VerifyKey
from standardwebhooks import Webhook, WebhookVerificationError

from consumers.delivery.teams import endpoints
from consumers.delivery.teams.changes import Desk
from consumers.delivery.teams.endpoints import Wanted, add_copies
from consumers.delivery.teams.teams import close_team
from consumers.delivery.webhooks.route import disable
from infra.log.bundle import event_of
from infra.postgres.connection import Connection, connected
from infra.settings import Settings
from tests.unit.consumers.delivery.receivers import OK, Answer, Received, answering, receiver, silence, status
from tests.world.senders import REGISTER
from tests.world.teams import (
    WAITING,
    add_endpoint,
    delivering,
    for_hooks,
    launches,
    live_launches,
    make_live,
    one_webhook,
    states,
    subscribe,
    until,
)
from tests.world.waits import intervals
from tests.world.waits import until as until_true

EARLY = datetime(2020, 1, 1, tzinfo=UTC)
ENABLED = "UPDATE delivery.endpoint SET disabled_at = NULL, disabled_reason = NULL WHERE endpoint_id = $1"


def in_turn(*answers: Answer) -> Answer:
    """One answer after another."""
    left = iter(answers)

    async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
        await next(left)(received, writer)

    return answer


async def test_a_trigger_arrives_verbatim_signed_by_valid_secrets(settings: Settings, connection: Connection) -> None:
    settings = for_hooks(settings)
    story, (campaign,) = await live_launches(connection)
    async with receiver() as hook:
        old, public, new = await add_endpoint(connection, settings, "e1", hook.url(), ("v1", "v1a", "v1"))
        expires = "UPDATE delivery.endpoint_secret SET expires_at = now() + $1 * interval '1 day' WHERE secret_id = 1"
        await connection.execute(expires, 1)
        await subscribe(connection, "e1")
        async with delivering(settings):
            await hook.until(1)
            await until(connection, WAITING, 0)
            (attempt,) = await connection.fetch("SELECT status, error, answer, number FROM delivery.attempt")
            await connection.execute(expires, 0)
            await add_copies(connection, "e1", Wanted(since=EARLY))
            await hook.until(2)
    first, second = hook.got
    index = next(entry.index for entry in story.entries if entry.type == "campaign.triggered")
    assert first.body == event_of(story.raw[index])
    assert first.headers["content-type"] == "application/cloudevents+json"
    assert first.id == f"{campaign.replace('.', '_')}_triggered_i{index}"
    assert not {"yesser-replay", "yesser-late", "yesser-example"} & first.headers.keys()
    assert tuple(attempt) == (200, None, b"ok", 1)
    for secret in (old, new):
        assert Webhook(secret).verify(first.body, first.headers) == json.loads(first.body)

    assert second.headers["yesser-replay"] == "true"
    assert (second.id, second.body) == (first.id, first.body)
    Webhook(new).verify(second.body, second.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(second.body, second.headers)
    signed = f"{second.id}.{second.headers['webhook-timestamp']}.".encode() + second.body
    (signature,) = [s for s in second.headers["webhook-signature"].split() if s.startswith("v1a,")]
    VerifyKey(b64decode(public.removeprefix("whpk_"))).verify(signed, b64decode(signature.removeprefix("v1a,")))


async def test_a_message_that_was_not_accepted_is_attempted_again_and_redelivered_under_the_same_id(
    settings: Settings, connection: Connection
) -> None:
    answers = in_turn(status(404), status(404), status(500, body=b"x" * 5_000), answering(OK))
    async with one_webhook(settings, connection, answers, webhook_retry_delays_s="0.1") as hook:
        await until(connection, "SELECT state FROM delivery.message", "failed")
        assert await connection.fetchval("SELECT failing_since IS NOT NULL FROM delivery.endpoint")
        message_id = await connection.fetchval("SELECT message_id FROM delivery.message")
        await add_copies(connection, "e1", Wanted(message_id))
        await until(connection, WAITING, 0)
    assert (len(hook.got), len(hook.ids())) == (4, 1)
    rows = await connection.fetch(
        "SELECT number, status, length(answer) AS size FROM delivery.attempt ORDER BY message_id, number"
    )
    assert [tuple(row) for row in rows] == [(1, 404, 0), (2, 404, 0), (1, 500, 1_024), (2, 200, 2)]
    assert await connection.fetchval("SELECT failing_since FROM delivery.endpoint") is None
    assert await states(connection) == {"failed": 1, "delivered": 1}


async def test_what_follows_an_answer_is_of_its_own_webhook_and_the_team_is_told_of_one_that_is_gone(
    settings: Settings, connection: Connection
) -> None:
    answers = {
        "/gone": status(410),
        "/later": status(429, "retry-after: 7200"),
        "/failing": status(503),
        "/right": answering(OK),
    }

    async def by_path(received: Received, writer: asyncio.StreamWriter) -> None:
        await answers[received.path](received, writer)

    delays = "0.3,0.3,0.3,60"
    settings = for_hooks(settings, webhook_retry_delays_s=delays, webhook_disable_after_days=0.3 / 86_400)
    await live_launches(connection, 3)
    async with receiver(by_path) as hook:

        def got(name: str) -> int:
            return sum(received.path == f"/{name}" for received in hook.got)

        for name in ("gone", "later", "failing", "right", "copied"):
            await add_endpoint(connection, settings, name, hook.url(f"/{name}"))
        await add_endpoint(connection, settings, "inside", f"https://127.0.0.2:{hook.port}/inside")
        for name in ("gone", "right"):
            await subscribe(connection, name)
        for name in ("later", "failing", "copied", "inside"):
            await subscribe(connection, name, services=["S0"])
        await connection.execute(
            "UPDATE delivery.endpoint_secret SET sealed = (SELECT sealed FROM delivery.endpoint_secret"
            " WHERE endpoint_id = 'right') WHERE endpoint_id = 'copied'"
        )
        async with delivering(settings):
            for name, reason in (("gone", "gone"), ("failing", "failing")):
                disabled = f"SELECT disabled_reason FROM delivery.endpoint WHERE endpoint_id = '{name}'"
                await until(connection, disabled, reason)
                await until(connection, f"{WAITING} AND endpoint_id = '{name}' AND route = 'webhook'", 0)
            for name, error in (("copied", "no-secret"), ("inside", "address-refused")):
                await until(connection, f"SELECT max(error) FROM delivery.attempt WHERE endpoint_id = '{name}'", error)
            attempted = "SELECT attempts FROM delivery.message WHERE endpoint_id = 'later'"
            await until(connection, attempted, 1)
            wait = await connection.fetchval(
                "SELECT next_attempt_at - now() FROM delivery.message WHERE endpoint_id = 'later'"
            )
            assert timedelta(minutes=119) < wait <= timedelta(hours=2)
            await until(connection, f"{WAITING} AND endpoint_id = 'right'", 0)
            assert (got("later"), got("right"), got("copied"), got("inside")) == (1, 3, 0, 0)
            assert got("failing") >= 2
            seen, answers["/gone"] = got("gone"), answering(OK)
            await connection.execute(ENABLED, "gone")
            assert len(await add_copies(connection, "gone", Wanted(since=EARLY))) == 3
            await until_true(lambda: got("gone") == seen + 3, "all are sent to the one that was gone")
    told = "SELECT agency, team, kind FROM delivery.message WHERE route = 'email' AND endpoint_id = $1"
    rows = await connection.fetch(told, "gone")
    assert [tuple(row) for row in rows] == [("health", "press", "endpoint-disabled")]
    words = [row["command"] for row in await connection.fetch("SELECT command FROM platform.trail ORDER BY at")]
    assert words.count("webhooks disable gone gone") == 1

    async with connected(settings.acting_as("delivery"), "webhooks") as own:
        for _ in range(5):
            async with own.transaction():
                await disable(own, "right", "gone")
            await connection.execute(ENABLED, "right")
    assert 1 <= len(await connection.fetch(told, "right")) < 5, "one notice a second"
    disabled = "SELECT count(*) FROM platform.trail WHERE command LIKE 'webhooks disable right%'"
    assert await connection.fetchval(disabled) == 5


async def test_what_waits_for_a_webhook_that_rests_is_cancelled_as_soon_as_its_team_disables_or_leaves_it(
    settings: Settings, connection: Connection
) -> None:
    """Its rest, and the wait for another attempt, would take minutes."""
    settings = for_hooks(settings, webhook_retry_delays_s="0.01,0.01,0.01,600")
    await connection.execute(REGISTER, "health", "agency")
    await live_launches(connection, 3)
    async with receiver(status(503)) as hook:
        for name in ("disabled", "left"):
            await add_endpoint(connection, settings, name, hook.url())
            await subscribe(connection, name)
        async with delivering(settings):
            failed = "SELECT count(*) >= 4 AS failed FROM delivery.attempt GROUP BY endpoint_id"
            await until(connection, f"SELECT count(*) FROM ({failed}) e WHERE failed", 2)
            desk = Desk(connection, settings)
            await endpoints.disable(desk, "health", "disabled")
            await until(connection, f"{WAITING} AND endpoint_id = 'disabled'", 0, timeout_s=3)
            assert await connection.fetchval(f"{WAITING} AND endpoint_id = 'left'") == 3
            await close_team(desk, "health", "press")
            await until(connection, f"{WAITING} AND route = 'webhook'", 0, timeout_s=3)
    assert await states(connection) == {"cancelled": 6}


async def test_messages_of_a_service_keep_order_but_for_late_ones(settings: Settings, connection: Connection) -> None:
    """Both services have a trigger and then an acknowledgement; the first one's trigger is not accepted."""
    story, (first, second) = launches(2)
    story.acknowledge(first)
    story.acknowledge(second)
    await make_live(connection, story)

    async def refuse_first(received: Received, writer: object) -> None:
        refused = "S0" in received.body.decode() and "triggered" in received.id
        await (status(500) if refused else answering(OK))(received, writer)  # type: ignore[arg-type]

    settings = for_hooks(settings, webhook_retry_delays_s="0.5,0.5,0.5,0.5,0.5,0.5,60", webhook_lane_wait_s=1.2)
    async with receiver(refuse_first) as hook:
        await add_endpoint(connection, settings, "e1", hook.url())
        await subscribe(connection, "e1")
        async with delivering(settings):
            await until(connection, "SELECT count(*) FROM delivery.message WHERE state = 'delivered'", 3)
            hook.answer = answering(OK)
            await until(connection, WAITING, 0)
    of_second = [received.id for received in hook.got if second.replace(".", "_") in received.id]
    assert [name.split("_")[2] for name in of_second] == ["triggered", "acknowledged"]
    of_first = [received for received in hook.got if first.replace(".", "_") in received.id]
    kinds = [received.id.split("_")[2] for received in of_first]
    assert kinds.count("acknowledged") == 1
    assert (kinds[0], kinds[-1]) == ("triggered", "triggered")
    before, after = of_first[0], of_first[-1]
    assert "yesser-late" not in before.headers
    assert after.headers["yesser-late"] == "true"


async def test_a_new_subscription_gets_past_entries_as_replays_and_a_restart_or_a_rebuild_sends_nothing_again(
    settings: Settings, connection: Connection
) -> None:
    settings = for_hooks(settings, webhook_backfill_per_s=4)
    story, _ = await live_launches(connection, 9)
    last = len(story.entries) - 1
    async with receiver() as hook:
        for name in ("new", "old"):
            await add_endpoint(connection, settings, name, hook.url(f"/{name}"))
        await subscribe(connection, "new", from_index=last, backfill_next=0, backfill_to=last)
        await subscribe(connection, "old")
        async with delivering(settings):
            await hook.until(18)
            await until(connection, WAITING, 0)
            filled = "SELECT backfill_next = backfill_to FROM delivery.subscription WHERE endpoint_id = 'new'"
            await until(connection, filled, True)
        new = [received for received in hook.got if received.path == "/new"]
        live = [received for received in new if "yesser-replay" not in received.headers]
        assert [received.id.rpartition("_")[2] for received in live] == [f"i{last}"]
        assert len({received.id for received in new}) == len(new) == 9
        spread = "SELECT max(created_at) - min(created_at) FROM delivery.message WHERE replay"
        assert await connection.fetchval(spread) > timedelta(seconds=0.8)

        rows = await connection.fetch("SELECT * FROM campaigns.route")
        await connection.execute("DELETE FROM campaigns.route")
        async with delivering(settings):
            await intervals(settings.look_again_ms)
            for row in rows:
                await connection.execute("INSERT INTO campaigns.route VALUES ($1, $2, $3, $4, $5)", *row)
            # A position that is older, as in a restored database, is of no consequence: the messages are there.
            await connection.execute("UPDATE delivery.position SET next_index = 0")
            await until(connection, "SELECT next_index FROM delivery.position", rows[-1]["index"] + 1)
            await intervals(settings.look_again_ms)
    assert len(hook.got) == 18


async def test_a_few_endpoints_that_hang_hold_up_no_other(settings: Settings, connection: Connection) -> None:
    settings = for_hooks(settings, webhook_timeout_s=3, webhook_in_flight_max=12)
    await live_launches(connection, 20)
    async with receiver() as hook, receiver(silence) as hanging:
        for number in range(3):
            await add_endpoint(connection, settings, f"e{number}", hanging.url())
            await subscribe(connection, f"e{number}")
        await add_endpoint(connection, settings, "quick", hook.url())
        await subscribe(connection, "quick")
        async with delivering(settings):
            await hook.until(20, timeout_s=2.5)
            # Before the first of them is given up, and another attempt takes its place.
            assert hanging.connections <= 12
