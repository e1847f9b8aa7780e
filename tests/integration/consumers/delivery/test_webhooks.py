"""Webhooks on the real PostgreSQL and to real receivers: what is sent, in which order, and what follows each answer."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta

import pytest
from nacl.signing import VerifyKey
from standardwebhooks import Webhook, WebhookVerificationError

from consumers.delivery.webhooks import store
from consumers.delivery.webhooks.redelivery import NothingToRedeliver, Wanted, WebhookDisabled, redeliver
from infra.log.bundle import event_of
from infra.postgres.connection import Connection, connected
from infra.settings import Settings
from tests.unit.consumers.delivery.receivers import OK, Received, answering, receiver, silence, status
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

EARLY = datetime(2020, 1, 1, tzinfo=UTC)


async def test_a_trigger_reaches_the_webhook_as_it_stands_in_the_log_and_verifies(
    settings: Settings, connection: Connection
) -> None:
    settings = for_hooks(settings)
    story, (campaign,) = await live_launches(connection)
    async with receiver() as hook:
        (secret,) = await add_endpoint(connection, settings, "e1", hook.url())
        await subscribe(connection, "e1")
        async with delivering(settings):
            await hook.until(1)
            await until(connection, WAITING, 0)
            await until(connection, "SELECT count(*) FROM delivery.pgqueuer", 0)
    (got,) = hook.got
    index = next(entry.index for entry in story.entries if entry.type == "campaign.triggered")
    assert got.body == event_of(story.raw[index])
    assert got.headers["content-type"] == "application/cloudevents+json"
    assert got.id == f"{campaign.replace('.', '_')}_triggered_i{index}"
    assert Webhook(secret).verify(got.body, got.headers) == json.loads(got.body)
    assert not {"yesser-replay", "yesser-late", "yesser-example"} & got.headers.keys()
    (attempt,) = await connection.fetch("SELECT status, error, answer, number FROM delivery.attempt")
    assert tuple(attempt) == (200, None, b"ok", 1)


async def test_while_a_secret_is_replaced_both_signatures_verify(settings: Settings, connection: Connection) -> None:
    settings = for_hooks(settings)
    await live_launches(connection)
    async with receiver() as hook:
        old, public, new = await add_endpoint(connection, settings, "e1", hook.url(), ("v1", "v1a", "v1"))
        await connection.execute(
            "UPDATE delivery.endpoint_secret SET expires_at = now() + interval '1 day' WHERE secret_id = 1"
        )
        await subscribe(connection, "e1")
        async with delivering(settings):
            await hook.until(1)
            await connection.execute("UPDATE delivery.endpoint_secret SET expires_at = now() WHERE secret_id = 1")
            await until(connection, WAITING, 0)
            await redeliver(connection, "e1", Wanted(since=EARLY))
            await hook.until(2)
    first, second = hook.got
    for secret in (old, new):
        Webhook(secret).verify(first.body, first.headers)
    Webhook(new).verify(second.body, second.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(second.body, second.headers)
    signed = f"{second.id}.{second.headers['webhook-timestamp']}.".encode() + second.body
    (signature,) = [s for s in second.headers["webhook-signature"].split() if s.startswith("v1a,")]
    VerifyKey(b64decode(public.removeprefix("whpk_"))).verify(signed, b64decode(signature.removeprefix("v1a,")))
    assert second.headers["yesser-replay"] == "true"
    assert (second.id, second.body) == (first.id, first.body)


async def test_a_failure_is_attempted_again_with_the_same_id_until_it_is_delivered(
    settings: Settings, connection: Connection
) -> None:
    async with one_webhook(
        settings, connection, status(500, body=b"x" * 5_000), webhook_retry_delays_s="0.1,0.2,60"
    ) as hook:
        await hook.until(2)
        assert await connection.fetchval("SELECT failing_since IS NOT NULL FROM delivery.endpoint")
        hook.answer = answering(OK)
        await until(connection, WAITING, 0)
    assert len(hook.got) == 3
    assert len(hook.ids()) == 1
    rows = await connection.fetch("SELECT number, status, length(answer) AS size FROM delivery.attempt ORDER BY number")
    assert [tuple(row) for row in rows] == [(1, 500, 1_024), (2, 500, 1_024), (3, 200, 2)]
    assert await connection.fetchval("SELECT failing_since FROM delivery.endpoint") is None
    assert await states(connection) == {"delivered": 1}


async def test_a_message_that_is_never_accepted_fails_and_can_be_redelivered(
    settings: Settings, connection: Connection
) -> None:
    async with one_webhook(settings, connection, status(404), webhook_retry_delays_s="0.05") as hook:
        await hook.until(2)
        await until(connection, WAITING, 0)
        assert await states(connection) == {"failed": 1}
        hook.answer = answering(OK)
        (message_id,) = [r[0] for r in await connection.fetch("SELECT message_id FROM delivery.message")]
        await redeliver(connection, "e1", Wanted(message_id))
        with pytest.raises(NothingToRedeliver):
            await redeliver(connection, "e1", Wanted(message_id))
        await hook.until(3)
        await until(connection, WAITING, 0)
    assert await states(connection) == {"failed": 1, "delivered": 1}
    assert len(hook.ids()) == 1


async def test_retry_after_is_obeyed(settings: Settings, connection: Connection) -> None:
    async with one_webhook(
        settings, connection, status(429, "retry-after: 7200"), webhook_retry_delays_s="0.05,0.05"
    ) as hook:
        await until(connection, "SELECT attempts FROM delivery.message", 1)
        later = "SELECT max(execute_after) > now() + interval '59 minutes' FROM delivery.pgqueuer"
        await until(connection, later, True)
        wait = await connection.fetchval("SELECT next_attempt_at - now() FROM delivery.message")
    assert timedelta(minutes=119) < wait <= timedelta(hours=2)
    assert len(hook.got) == 1


async def test_an_endpoint_that_is_gone_is_disabled_and_its_team_told(
    settings: Settings, connection: Connection
) -> None:
    async with one_webhook(settings, connection, status(410), launched=3) as hook:
        await until(connection, "SELECT disabled_reason FROM delivery.endpoint", "gone")
        await until(
            connection, "SELECT count(*) FROM delivery.message WHERE route = 'webhook' AND state = 'waiting'", 0
        )
        with pytest.raises(WebhookDisabled):
            await redeliver(connection, "e1", Wanted(since=EARLY))
        seen = len(hook.got)
        await connection.execute("UPDATE delivery.endpoint SET disabled_at = NULL, disabled_reason = NULL")
        hook.answer = answering(OK)
        assert len(await redeliver(connection, "e1", Wanted(since=EARLY))) == 3
        await hook.until(seen + 3)
    rows = await connection.fetch("SELECT agency, team, endpoint_id, kind FROM delivery.message WHERE route = 'email'")
    assert [tuple(row) for row in rows] == [("health", "press", "e1", "endpoint-disabled")]
    words = [row["command"] for row in await connection.fetch("SELECT command FROM platform.trail ORDER BY at")]
    assert words[0] == "webhooks disable e1 gone"


async def test_an_endpoint_that_is_disabled_again_within_a_second_is_told_once(
    settings: Settings, connection: Connection
) -> None:
    await add_endpoint(connection, for_hooks(settings), "e1", "https://hooks.example/")
    async with connected(settings.acting_as("delivery"), "webhooks") as own:
        for _ in range(5):
            async with own.transaction():
                await store.disable(own, "e1", "gone")
            await connection.execute("UPDATE delivery.endpoint SET disabled_at = NULL, disabled_reason = NULL")
    assert 1 <= await connection.fetchval("SELECT count(*) FROM delivery.message WHERE kind = 'endpoint-disabled'") < 5
    assert (
        await connection.fetchval("SELECT count(*) FROM platform.trail WHERE command LIKE 'webhooks disable e1%'") == 5
    )


async def test_an_endpoint_that_keeps_failing_is_disabled(settings: Settings, connection: Connection) -> None:
    async with one_webhook(
        settings,
        connection,
        status(503),
        webhook_retry_delays_s="0.3,0.3,0.3,60",
        webhook_disable_after_days=0.3 / 86_400,
    ) as hook:
        await until(connection, "SELECT disabled_reason FROM delivery.endpoint", "failing")
        await until(connection, "SELECT count(*) FROM delivery.message WHERE state = 'cancelled'", 1)
    assert len(hook.got) >= 2


async def test_messages_about_a_service_go_in_order_and_overtake_one_that_is_late(
    settings: Settings, connection: Connection
) -> None:
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
    assert kinds[:2] == ["triggered", "triggered"]
    assert kinds[-1] == "triggered"
    before, after = of_first[0], of_first[-1]
    assert "yesser-late" not in before.headers
    assert after.headers["yesser-late"] == "true"


async def test_a_new_subscription_gets_past_entries_as_replays_after_the_live_ones(
    settings: Settings, connection: Connection
) -> None:
    settings = for_hooks(settings, webhook_backfill_per_s=4)
    story, _ = await live_launches(connection, 9)
    size = len(story.entries)
    async with receiver() as hook:
        await add_endpoint(connection, settings, "e1", hook.url())
        last = size - 1
        await subscribe(connection, "e1", from_index=last, backfill_next=0, backfill_to=last)
        async with delivering(settings):
            await hook.until(9)
            await until(connection, WAITING, 0)
            await asyncio.sleep(0.5)
    live = [received for received in hook.got if "yesser-replay" not in received.headers]
    assert [received.id.rpartition("_")[2] for received in live] == [f"i{last}"]
    assert len(hook.ids()) == len(hook.got) == 9
    spread = await connection.fetchval("SELECT max(created_at) - min(created_at) FROM delivery.message WHERE replay")
    assert spread > timedelta(seconds=0.8)
    assert await connection.fetchval("SELECT backfill_next = backfill_to FROM delivery.subscription")


async def test_after_a_restart_and_a_rebuild_nothing_is_sent_again(settings: Settings, connection: Connection) -> None:
    settings = for_hooks(settings)
    await live_launches(connection, 3)
    async with receiver() as hook:
        await add_endpoint(connection, settings, "e1", hook.url())
        await subscribe(connection, "e1")
        async with delivering(settings):
            await hook.until(3)
            await until(connection, WAITING, 0)
        rows = await connection.fetch("SELECT * FROM campaigns.route")
        await connection.execute("DELETE FROM campaigns.route")
        async with delivering(settings):
            await asyncio.sleep(0.3)
            for row in rows:
                await connection.execute("INSERT INTO campaigns.route VALUES ($1, $2, $3, $4, $5)", *row)
            # A position that is older, as in a restored database, is of no consequence: the messages are there.
            await connection.execute("UPDATE delivery.position SET next_index = 0")
            await until(connection, "SELECT next_index FROM delivery.position", rows[-1]["index"] + 1)
            await asyncio.sleep(0.3)
    assert len(hook.got) == 3


async def test_what_the_webhook_of_another_key_cannot_sign_waits_and_others_go_on(
    settings: Settings, connection: Connection
) -> None:
    settings = for_hooks(settings)
    await live_launches(connection)
    async with receiver() as hook:
        for endpoint_id in ("e1", "e2"):
            await add_endpoint(connection, settings, endpoint_id, hook.url(f"/{endpoint_id}"))
            await subscribe(connection, endpoint_id)
        # A row that was copied from one endpoint to another.
        await connection.execute(
            "UPDATE delivery.endpoint_secret SET sealed = (SELECT sealed FROM delivery.endpoint_secret"
            " WHERE endpoint_id = 'e2') WHERE endpoint_id = 'e1'"
        )
        async with delivering(settings):
            await hook.until(1)
            await until(connection, "SELECT error FROM delivery.attempt WHERE error IS NOT NULL", "no-secret")
    assert [received.path for received in hook.got] == ["/e2"]


async def test_an_endpoint_inside_the_network_gets_nothing(settings: Settings, connection: Connection) -> None:
    settings = for_hooks(settings, webhook_hosts="")
    await live_launches(connection)
    async with receiver() as hook:
        await add_endpoint(connection, settings, "e1", hook.url().replace("http:", "https:"))
        await subscribe(connection, "e1")
        async with delivering(settings):
            await until(connection, "SELECT max(error) FROM delivery.attempt", "address-refused")
    assert hook.connections == 0


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
