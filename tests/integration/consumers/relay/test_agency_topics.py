"""The agencies' topics of campaign entries on the real Kafka: each agency its own entries, once, in log order."""

from __future__ import annotations

import asyncio
from functools import partial

import orjson
import pytest

from consumers.relay import agency_topics
from consumers.relay.agency_topics import triggers_waiting
from consumers.relay.relay import Relay
from events.wire.entry import Entry
from infra.kafka import clients
from infra.kafka.admin import admin_client, create_acls, delete_acls
from infra.kafka.client_config import agency_triggers_topic
from infra.kafka.clients import raw_client
from infra.kafka.rights import Operation, Resource, Right, principal_rights
from infra.log.bundle import event_of
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.logs import bundle_of, write_log
from tests.world.story import Story
from tests.world.teams import fold, put
from tests.world.topics import PLATFORM_TOPIC, drop_topic, make_topics, records
from tests.world.waits import intervals, running, until

CODES = ("health", "interior", "yesser")
SENT = "SELECT count(*) = 0 FROM platform.outbox"


def about_campaigns(story: Story, owner: str) -> list[Entry]:
    """The entries that took effect on the campaigns of an agency, in log order."""
    unknown = {index for index, _ in story.anomalies()}
    return [
        entry
        for entry in story.entries
        if (entry.type.startswith(("campaign.", "awareness.campaign-")))
        and entry.index not in unknown
        and story.campaign(entry.data["campaign_id"]).owner == owner
    ]


def two_agencies() -> Story:
    """Campaigns of health and interior, acknowledged, aired, paused, resumed, completed, and what is an anomaly."""
    story = Story()
    story.register("S")
    campaign = f"service-launched.i{story.launch('S')}"
    announced = f"initiative-announced.i{story.announce('I', agency='interior')}"
    story.come_back()
    story.acknowledge(campaign, agency="interior")
    story.acknowledge(announced, agency="interior")
    story.acknowledge(campaign)
    story.acknowledge(campaign)
    story.change("suspended", "S")
    story.come_back()
    story.change("resumed", "S")
    story.come_back()
    story.air(campaign, "A", "tv")
    story.complete(campaign)
    return story


@pytest.fixture
async def unapplied(settings: Settings, connection: Connection) -> Story:
    """A story that is in the log; its agencies are registered, and the topics are there."""
    await make_topics(settings)
    await connection.execute(
        "INSERT INTO platform.agency SELECT code, 'agency', '{}', 0 FROM unnest($1::text[]) code", [*CODES]
    )
    told = two_agencies()
    await write_log(connection, told.raw)
    return told


@pytest.fixture
async def story(connection: Connection, unapplied: Story) -> Story:
    """It is applied, too."""
    await fold(connection, unapplied.entries, 3)
    return unapplied


async def until_sent(connection: Connection, story: Story, *owners: str) -> None:
    """The topics of these agencies have acknowledged their last entries."""
    sent = "SELECT next_index = $2 FROM platform.route_position WHERE route = $1"
    for owner in owners:
        route, end = f"campaign-triggers.{owner}", about_campaigns(story, owner)[-1].index + 1
        await until(partial(connection.fetchval, sent, route, end), f"the topic of {owner} has its last entry")


async def values(settings: Settings, owner: str) -> list[bytes]:
    return [record.value for record in await records(settings, agency_triggers_topic(settings, owner))]


async def test_each_agency_gets_the_entries_about_its_campaigns_verbatim_and_once(
    settings: Settings, connection: Connection, unapplied: Story
) -> None:
    topic, story = agency_triggers_topic(settings, "health"), unapplied
    expected = about_campaigns(story, "health")
    triggers = [entry for entry in story.entries if entry.type == "campaign.triggered"]
    before = story.entries[: triggers[0].index]
    await fold(connection, before, batch=len(before))
    waiting = await connection.fetch("SELECT key, value FROM platform.outbox ORDER BY row_id")
    async with running(Relay(settings)):
        await until(partial(connection.fetchval, SENT), "what is decided is sent")
        decided = await records(settings, PLATFORM_TOPIC)
        assert [(record.key, record.value) for record in decided] == [(r["key"].encode(), r["value"]) for r in waiting]
        assert await records(settings, settings.triggers_topic) == [], "no trigger is in the log yet"

        await fold(connection, story.entries[len(before) :], batch=3)
        await until_sent(connection, story, "health", "interior")
        sent = await records(settings, topic)
        assert [entry.type for entry in expected] == [
            "campaign.triggered",
            "awareness.campaign-acknowledged",
            "campaign.paused",
            "campaign.resumed",
            "awareness.campaign-aired",
            "awareness.campaign-completed",
        ]
        assert [record.value for record in sent] == [event_of(story.raw[entry.index]) for entry in expected]
        assert {record.key for record in sent} == {expected[0].data["campaign_id"].encode()}
        assert [dict(record.headers)["index"] for record in sent] == [b"%d" % entry.index for entry in expected]
        other = [event_of(story.raw[entry.index]) for entry in about_campaigns(story, "interior")]
        assert len(other) == 2
        assert await values(settings, "interior") == other

        async def all_sent() -> bool:
            return await triggers_waiting(connection) == 0 and bool(await connection.fetchval(SENT))

        await until(all_sent, "the common topic and the platform's have everything")
        common = await records(settings, settings.triggers_topic)
        assert [record.value for record in common] == [event_of(story.raw[entry.index]) for entry in triggers]
        assert [record.key for record in common] == [entry.data["campaign_id"].encode() for entry in triggers]
        assert [dict(record.headers)["index"] for record in common] == [b"%d" % entry.index for entry in triggers]
        ids = [orjson.loads(record.value)["id"] for record in await records(settings, PLATFORM_TOPIC)]
        assert [name.partition(".")[0] for name in ids] == ["triggered", "triggered", "paused", "resumed"]

        # A rebuild makes the rows again: nothing is sent a second time.
        rows = [tuple(row) for row in await connection.fetch("SELECT * FROM campaigns.route ORDER BY index")]
        await connection.execute("DELETE FROM campaigns.route")
        await connection.executemany("INSERT INTO campaigns.route VALUES ($1, $2, $3, $4, $5)", rows)
        await intervals(settings.lease_renew_ms)
    async with running(Relay(settings)):
        await intervals(settings.lease_renew_ms)
    assert len(await records(settings, topic)) == len(expected)

    await drop_topic(settings, topic)
    await connection.execute("DELETE FROM platform.route_position WHERE route = 'campaign-triggers.health'")
    async with running(Relay(settings)):
        await until_sent(connection, story, "health")
    assert len(await values(settings, "health")) == len(expected), "a topic that is missing is made"


async def test_topics_that_cannot_be_written_hold_up_no_other_and_go_on_where_they_were(
    settings: Settings, connection: Connection, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of health may not be written. The common one is gone: to the client that is as without a leader."""
    monkeypatch.setattr(clients, "SEND_TIMEOUT_S", 1.0)
    monkeypatch.setattr(agency_topics, "RETRY_WAIT_MAX_S", 0.5)
    topic = agency_triggers_topic(settings, "health")
    denied = Right("relay", Resource.TOPIC, topic, (Operation.WRITE,), denied=True, exact=True)
    async with admin_client(settings) as admin:
        await create_acls(raw_client(admin), [denied])
    await drop_topic(settings, settings.triggers_topic)
    relay = Relay(settings)
    async with running(relay):
        await until_sent(connection, story, "interior")
        epoch = relay.epoch

        def both_are_named() -> bool:
            said = str(relay.readiness().details)
            common = f"{settings.triggers_topic} cannot be written (NotAcknowledged"
            return common in said and f"{topic} cannot be written" in said

        await until(both_are_named, "both topics are named")
        assert not relay.readiness().ready
        for name in "ab":
            await put(connection, name)
            await until(partial(connection.fetchval, SENT), "the platform's own topic is written")
            await intervals(settings.lease_renew_ms)
        assert await triggers_waiting(connection) == 2
        assert await values(settings, "health") == []

        await make_topics(settings)
        async with admin_client(settings) as admin:
            await delete_acls(raw_client(admin), "relay")
            everywhere = settings.model_copy(
                update=dict.fromkeys(("log_topic", "checkpoints_topic", "texts_topic", "triggers_topic"), "yesser.")
            )
            rights = [right for right in principal_rights(everywhere) if right.user == "relay"]
            await create_acls(raw_client(admin), rights)
        await until_sent(connection, story, "health")

        async def nothing_waits() -> bool:
            return await triggers_waiting(connection) == 0 and relay.readiness().ready

        await until(nothing_waits, "the common topic is written again")
        assert relay.epoch == epoch, "the same term"
    assert len(await values(settings, "health")) == 6
    triggers = [event_of(story.raw[entry.index]) for entry in story.entries if entry.type == "campaign.triggered"]
    assert [record.value for record in await records(settings, settings.triggers_topic)] == triggers, "once, in order"


async def test_a_changed_entry_is_sent_to_nobody(settings: Settings, connection: Connection, story: Story) -> None:
    (first, *_) = (entry.index for entry in story.entries if entry.type == "campaign.triggered")
    changed = [raw.replace(b"health", b"HEALTH") if at == first else raw for at, raw in enumerate(story.raw)]
    await connection.execute("ALTER TABLE log.segment DISABLE TRIGGER append_only")
    await connection.execute("UPDATE log.segment SET entries = $1", bundle_of(changed))
    relay = Relay(settings)
    async with running(relay):
        await until(
            lambda: f"entry {first} of the log was changed" in str(relay.readiness().details.get("halted")),
            "the relay is halted",
        )
    assert await records(settings, settings.triggers_topic) == []
    assert await connection.fetchval("SELECT count(*) FROM platform.route_position") == 0


async def test_on_rows_of_an_earlier_release_the_relay_waits_and_is_woken_once_they_are_rebuilt(
    settings: Settings, connection: Connection, unapplied: Story
) -> None:
    """NOTIFY wakes the relay: it looks by itself only every half minute here."""
    settings = settings.model_copy(update={"lease_renew_ms": 30_000, "lease_ms": 60_000, "poll_timeout_ms": 60_000})
    await connection.execute(
        "DROP SCHEMA IF EXISTS campaigns CASCADE; CREATE SCHEMA campaigns;"
        " CREATE TABLE campaigns.route (index bigint PRIMARY KEY, campaign_id text NOT NULL);"
        " INSERT INTO campaigns.route VALUES (5, 'service-launched.i3');"
        " GRANT USAGE ON SCHEMA campaigns TO yesser_relay; GRANT SELECT ON campaigns.route TO yesser_relay"
    )
    relay, loop = Relay(settings), asyncio.get_running_loop()
    async with running(relay):
        await until(lambda: relay.epoch is not None, "it leads")
        await asyncio.sleep(0.5)  # it has found nothing, and sleeps
        epoch = relay.epoch
        assert epoch == 1
        assert await triggers_waiting(connection) == 0
        await connection.execute("DROP SCHEMA campaigns CASCADE")
        began = loop.time()
        await fold(connection, unapplied.entries, batch=len(unapplied.entries))
        await until_sent(connection, unapplied, "health", "interior")
        all_three = "SELECT count(*) = 3 FROM platform.route_position"
        await until(lambda: connection.fetchval(all_three), "the common topic too")
        assert loop.time() - began < 10
        assert relay.epoch == epoch
