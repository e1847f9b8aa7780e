"""Notices to an agency's engineers, on the real PostgreSQL and Kafka: each thing once, and nothing of before."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from standardwebhooks.webhooks import Webhook

from consumers.delivery.delivery_lease import LEASE
from consumers.delivery.notices.notifier import Notifier
from consumers.delivery.routing.router import Subscriptions
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.pipeline.pipeline import Pipeline
from infra.postgres.connection import Connection, connected
from infra.process import lease
from infra.settings import Settings
from tests.integration.consumers.api.read_api import lay_down
from tests.integration.consumers.api.read_story import story
from tests.team_seals import SEALS
from tests.unit.consumers.delivery.receivers import receiver
from tests.world.logs import set_position
from tests.world.mail import FIRST, add_team, desk, mail_server, text_of
from tests.world.processes import kill, started
from tests.world.registrars import at_work
from tests.world.senders import announced
from tests.world.teams import WAITING, add_endpoint, for_hooks, subscribe, until
from tests.world.topics import HEALTH_TOPIC, remake_topic, send
from tests.world.waits import running
from tests.world.waits import until as until_true

NOW = datetime(2026, 11, 15, 9, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TYPES = ["notice.refusal", "notice.pause", "notice.halt", "notice.credential", "notice.certificate", "notice.silence"]
Environment = Callable[..., dict[str, str]]
Round = Callable[[datetime], Awaitable[list[str]]]


@pytest.fixture
async def round_at(settings: Settings, connection: Connection) -> AsyncIterator[Round]:
    """A round of a new notifier with the rights of the delivery process, as after a restart; the new messages."""
    settings = for_hooks(settings)
    await connection.execute("INSERT INTO platform.agency VALUES ('health', 'agency', '{}', 2)")
    for name in ("e1", "e2"):
        await add_endpoint(connection, settings, name, "http://127.0.0.1:9/")
    seen: set[int] = set()
    async with connected(settings.acting_as("delivery"), "test of notices") as own:

        async def round(now: datetime) -> list[str]:
            epoch = await lease.claim(own, LEASE, "test", settings)
            assert epoch is not None
            await Notifier(own, epoch, settings, Subscriptions(lambda: SEALS)).round(now)
            rows = await connection.fetch("SELECT message_id, endpoint_id, event_id FROM delivery.message ORDER BY 1")
            new = [f"{row['endpoint_id']} {row['event_id']}" for row in rows if row["message_id"] not in seen]
            seen.update(row["message_id"] for row in rows)
            return new

        yield round


async def refuse(connection: Connection, *indexes: int, agency: str = "health") -> None:
    """Refusals at these entries, of which the log has at least so many."""
    for index in indexes:
        await connection.execute(
            "INSERT INTO log.refusal (index, agency, address, claimed_type, errors)"
            " VALUES ($1::bigint, $2, 'a/0/' || $1, 'sa.gov.yesser.service.launched.v1', $3)",
            *(index, agency, [{"code": code, "detail": "", "pointer": ""} for code in ("unknown", "invalid-value")]),
        )
        await connection.execute("UPDATE log.state SET size = greatest(size, $1)", index + 1)


async def expect(connection: Connection, name: str) -> None:
    """Two days ago the agency declared that it expects an event of this type each day."""
    await connection.execute(
        "INSERT INTO delivery.expectation (agency, type, every_days, created_at)"
        " VALUES ('health', $1, 1, now() - interval '2 days')",
        name,
    )


async def data_of(connection: Connection, notice_id: str) -> Any:
    return await connection.fetchval("SELECT data FROM delivery.notice WHERE notice_id = $1", notice_id)


async def test_refusals_are_one_digest_and_nothing_of_before_a_subscription(
    connection: Connection, round_at: Round
) -> None:
    await refuse(connection, 3)
    assert await round_at(NOW) == []
    await subscribe(connection, "e1", types=TYPES, from_index=4)
    await refuse(connection, *range(10, 20))
    await refuse(connection, 20, agency="labour")
    assert await round_at(NOW) == []
    await refuse(connection, 30)
    assert await round_at(NOW + 4 * MINUTE) == []
    digest = "notice.refusal.health.i10-i30"
    assert await round_at(NOW + 5 * MINUTE) == [f"e1 {digest}"]
    found = await data_of(connection, digest)
    assert (found["count"], len(found["items"]), found["agency"]) == (11, 5, "health")
    assert found["items"][0] == {
        "index": 10, "type": "sa.gov.yesser.service.launched.v1", "codes": ["invalid-value", "unknown"],
    }  # fmt: skip
    assert found["gateway"].endswith("/v1/refusals?open=true")
    assert await round_at(NOW + 60 * MINUTE) == []


async def test_anomalies_that_a_consumer_finds_are_one_digest_of_its_agency(
    connection: Connection, round_at: Round
) -> None:
    await set_position(connection, PROJECTIONS, 0)
    await subscribe(connection, "e1", types=["notice.anomaly"])
    assert await round_at(NOW) == []
    await lay_down(connection, story())
    assert await round_at(NOW) == []
    (row,) = await connection.fetch(
        "SELECT index, found_index, type, rule FROM projections.anomaly WHERE agency = 'health'"
    )
    digest = "notice.anomaly.health.projections.i{0}-i{0}".format(row["found_index"])
    assert await round_at(NOW + 5 * MINUTE) == [f"e1 {digest}"]
    found = await data_of(connection, digest)
    assert (found["count"], found["items"]) == (1, [{name: row[name] for name in ("index", "type", "rule")}])
    assert await round_at(NOW + 60 * MINUTE) == []


async def test_what_expires_and_what_pauses_is_told_once_also_after_a_restart(
    connection: Connection, round_at: Round
) -> None:
    for key_id, kind, days in (("old", "agency", 10), ("new", "agency", 200), ("other", "auditor", 10)):
        await connection.execute(
            "INSERT INTO platform.token (key_id, kind, holder, scopes, keyed_hash, created_at, expires_at)"
            " VALUES ($1, $2, 'health', '{}', $3, $4, $5)",
            *(key_id, kind, bytes(32), NOW - 90 * DAY, NOW + days * DAY),
        )
    assert await round_at(NOW) == [], "nobody has subscribed"
    await subscribe(connection, "e1", types=TYPES)
    assert await round_at(NOW) == [], "it is of before the subscription"
    assert await round_at(NOW + 8 * DAY) == ["e1 notice.credential.health.20261123T090000"]
    assert await round_at(NOW + 8 * DAY + MINUTE) == []
    await connection.execute(
        "INSERT INTO platform.client_certificate VALUES ('5e', 'health', $1, $2)", NOW, NOW + 22 * DAY
    )
    paused = "UPDATE log.read_position SET paused_until = $1, paused_reason = $2"
    await connection.execute("INSERT INTO log.read_position (topic) VALUES ('agency.health.events')")
    await connection.execute(paused, NOW, {"ar": "سبب", "en": "Reason"})
    later = NOW + 8 * DAY + 2 * MINUTE
    assert await round_at(later) == [
        "e1 notice.pause.health.20261123T090200", "e1 notice.certificate.health.20261123T090200"
    ]  # fmt: skip
    consoles = [
        (await data_of(connection, f"notice.{name}.health.20261123T090200"))["console"]
        for name in ("pause", "certificate")
    ]
    assert [link and link.endswith("/workspace") for link in consoles] == [True, None], "no page shows certificates"
    await connection.execute(paused, NOW + DAY, {"ar": "سبب", "en": "Still"})
    assert await round_at(later + MINUTE) == [], "the same pause, for longer"
    await subscribe(connection, "e2", types=["notice.halt"])
    await connection.execute(paused, None, None)
    ended = "notice.resumed.health.20261123T090400"
    assert await round_at(later + 2 * MINUTE) == [f"e1 {ended}"], "a subscriber to pauses gets one notice of the end"
    (shown,) = (await data_of(connection, ended))["items"]
    assert shown.keys() == {"since", "until"}
    assert await round_at(later + 2 * MINUTE) == []
    await connection.execute(paused, NOW, {"ar": "سبب", "en": "Again"})
    assert await round_at(later + 3 * MINUTE) == ["e1 notice.pause.health.20261123T090500"]


@pytest.mark.timeout(120)
async def test_a_refusal_a_halt_and_a_silence_reach_a_receiver_once_though_the_process_is_killed(
    settings: Settings, connection: Connection, environment: Environment, tmp_path: Path
) -> None:
    settings, log = for_hooks(settings), tmp_path / "delivery.log"
    short = {"LEASE_MS": "1000", "LEASE_RENEW_MS": "250", "NOTICE_WINDOW_S": "1", "WEBHOOK_HOSTS": "127.0.0.1"}
    given = environment(**{f"YESSER_{name}": value for name, value in short.items()})
    began = "SELECT count(*) FROM delivery.position WHERE part = 'notices log'"
    async with at_work(settings, connection, "health"), running(Pipeline(EVENT_INDEX, settings)), receiver() as hook:
        (secret,) = await add_endpoint(connection, settings, "e1", hook.url())
        await subscribe(connection, "e1", types=TYPES)
        await until(connection, "SELECT to_regclass('event_index.event') IS NOT NULL", True)
        async with started(given, log) as first:
            await until(connection, began, 1)
            await send(settings, HEALTH_TOPIC, announced("good"), b"not an event", b"{}")
            await until(connection, "SELECT count(*) FROM log.refusal", 2)
            await until(connection, "SELECT sum(items) FROM delivery.notice_window", 2)
            await kill(first)
        async with started(given, log) as second:
            await until_true(lambda: len(hook.ids()) == 1, "1 have come")
            await remake_topic(settings, "health")
            await until_true(lambda: len(hook.ids()) == 2, "2 have come")
            await kill(second)
        await expect(connection, "revenue.collected")
        async with started(given, log) as third:
            await until_true(lambda: len(hook.ids()) == 3, "3 have come")
            await until(connection, WAITING, 0)
            await kill(third)
        await expect(connection, "revenue.period-closed")
        async with started(given, log):
            await until_true(lambda: len(hook.ids()) == 4, "4 have come")
            await until(connection, WAITING, 0)
    # A webhook whose answer was not recorded before a kill may come again, under its id.
    got = list({received.id: received for received in hook.got}.values())
    bodies = [Webhook(secret).verify(received.body, received.headers) for received in got]
    assert [body["type"] for body in bodies] == [
        f"sa.gov.yesser.{name}.v1" for name in (TYPES[0], TYPES[2], TYPES[5], TYPES[5])
    ]
    assert await connection.fetchval("SELECT count(*) FROM delivery.message") == len(got) == 4
    assert [body["data"]["count"] for body in bodies] == [2, 1, 1, 1]
    assert {received.headers["yesser-notice"] for received in got} == {"true"}
    silent = [orjson.loads(received.body)["data"]["items"][0]["type"] for received in got[2:]]
    assert silent == ["revenue.collected", "revenue.period-closed"]


async def test_a_notice_by_mail_is_a_letter_to_the_teams_first_address(
    settings: Settings, connection: Connection
) -> None:
    await add_team(connection, FIRST)
    items = [{"since": "2026-11-15T09:00:00Z"}]
    data = {"agency": "health", "count": 1, "items": items, "gateway": "https://g", "console": None}
    await connection.execute("INSERT INTO delivery.notice VALUES ('n1', 'health', 'notice.halt', now(), $1)", data)
    async with mail_server() as mails, desk(settings, connection, mails, NOW) as press:
        await press.put("notice.halt", "n1", lane="notice.halt")
        await press.send()
    ((to, event_id),) = mails.kinds
    assert (to, event_id) == (FIRST, "n1")
    assert "Since: 2026-11-15 12:00" in re.sub("[\u2066-\u2069]", "", text_of(mails.messages[0])), "in Riyadh"
    names = "SELECT delivery.names_campaigns($1)"
    chosen = (None, ["notice.halt"], ["notice.halt", "campaign.paused"])
    found = [await connection.fetchval(names, types) for types in chosen]
    assert found == [True, False, True], "who gets the weekly digest of campaigns"
