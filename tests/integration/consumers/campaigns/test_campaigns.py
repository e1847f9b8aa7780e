"""Campaigns on the real PostgreSQL and Kafka: tables, the relay, the route to the campaign teams."""

from __future__ import annotations

import orjson

from consumers.campaigns.commands import read
from consumers.campaigns.consumer import CONSUMER
from consumers.campaigns.read import awareness
from consumers.documents.campaigns.campaigns import CampaignState
from consumers.relay.relay import LEASE, PlatformOutbox, Relay
from consumers.relay.triggers import triggers_waiting
from infra.log.bundle import event_of
from infra.postgres import outbox_table
from infra.postgres.connection import Connection, connected
from infra.postgres.outbox import OutboxEvent
from infra.process import lease
from infra.settings import Settings
from tests.world.documents import as_json
from tests.world.logs import write_log
from tests.world.registrars import terminate
from tests.world.story import Story
from tests.world.teams import fold, put
from tests.world.topics import make_topics, records
from tests.world.waits import running, until

PLATFORM_TOPIC = "agency.platform.events"


def published_story() -> Story:
    """A service launched, suspended, resumed and aired; an initiative; a group; a quota."""
    story = Story()
    story.adopt(one=1)
    story.register("S")
    campaign = f"service-launched.i{story.launch('S')}"
    story.announce("I", agency="interior")
    story.set_quota(1)
    story.certify("c1")
    story.change("suspended", "S")
    story.come_back()
    story.at = "2026-11-02T08:00:00.000000Z"
    story.change("resumed", "S")
    story.come_back()
    for number, channel in enumerate(("tv", "radio", "print", "tv")):
        story.air(campaign, f"A{number}", channel, reach=2**53 - 1)
    story.acknowledge(campaign)
    story.acknowledge("service-launched.i999")
    return story


async def until_empty(connection: Connection) -> None:
    """Nothing waits in the outbox nor for the campaign teams."""

    async def is_empty() -> bool:
        outbox_rows = await connection.fetchval("SELECT count(*) FROM platform.outbox")
        return bool(outbox_rows + await triggers_waiting(connection) == 0)

    await until(is_empty, "nothing waits")


async def sent_codes(settings: Settings) -> list[str]:
    return [orjson.loads(r.value)["data"]["code"] for r in await records(settings, PLATFORM_TOPIC)]


async def test_the_tables_keep_what_memory_keeps_and_give_the_lists_of_now_and_of_then(
    settings: Settings, connection: Connection
) -> None:
    assert await read(settings) == [], "before the first trigger"
    story = published_story()
    await write_log(connection, story.raw)
    await fold(connection, story.entries, batch=7)
    for table in CONSUMER.tables:
        found = await connection.fetch(f"SELECT * FROM {table.name} ORDER BY {', '.join(table.key)}")
        kept = [tuple(row[column] for column in table.columns) for row in found]
        assert kept == [tuple(getattr(row, c) for c in table.columns) for row in story.store.rows(table)], table.name

    rows = await read(settings)
    assert [row.campaign_id for row in rows] == sorted(story.in_log())
    assert as_json(rows[-1]) == {
        "campaign_id": "service-launched.i4",
        "rule": "service-launched",
        "kind": "specific",
        "cause_index": 4,
        "owner": "health",
        "service_id": "S",
        "channels": ["tv", "radio", "print"],
        "due_on": "2026-11-16",
        "state": "acknowledged",
        "paused": False,
        "escalated": False,
        "aired": {"tv": 2, "radio": 1, "print": 1},
        "reach": 4 * (2**53 - 1),
    }
    assert as_json(await awareness(connection)) == {
        "launched_services": 1,
        "aired": {"tv": 1, "radio": 1, "print": 1},
        "on_all_three": 1,
        "general_campaigns": 3,
        "reach": 4 * (2**53 - 1),
    }

    first_trigger = next(entry.index for entry in story.entries if entry.type == "campaign.triggered")
    assert await read(settings, first_trigger) == []
    (row,) = await read(settings, first_trigger + 1)
    assert (row.campaign_id, row.state, row.paused) == ("service-launched.i4", CampaignState.TRIGGERED, True)
    assert await read(settings, len(story.entries)) == rows
    assert await connection.fetchval("SELECT count(*) FROM platform.outbox") == 6, "looking back decides nothing"


async def test_what_is_decided_reaches_the_platforms_topic_and_a_trigger_the_teams_once_it_is_in_the_log(
    settings: Settings, connection: Connection
) -> None:
    await make_topics(settings)
    story = published_story()
    logged = [entry for entry in story.entries if entry.type == "campaign.triggered"]
    before = story.entries[: logged[0].index]
    await write_log(connection, story.raw)
    await fold(connection, before, batch=len(before))
    waiting = await connection.fetch("SELECT key, value FROM platform.outbox ORDER BY row_id")
    async with running(Relay(settings)):
        await until_empty(connection)
        decided = await records(settings, PLATFORM_TOPIC)
        assert [(record.key, record.value) for record in decided] == [(r["key"].encode(), r["value"]) for r in waiting]
        assert await records(settings, settings.triggers_topic) == []

        await fold(connection, story.entries[len(before) :], batch=3)
        await until_empty(connection)
    ids = [orjson.loads(record.value)["id"] for record in await records(settings, PLATFORM_TOPIC)]
    assert [name.partition(".")[0] for name in ids] == [*["triggered"] * 4, "paused", "resumed"]
    sent = await records(settings, settings.triggers_topic)
    assert [record.value for record in sent] == [event_of(story.raw[entry.index]) for entry in logged]
    assert [record.key for record in sent] == [entry.data["campaign_id"].encode() for entry in logged]
    assert [dict(record.headers)["index"] for record in sent] == [b"%d" % entry.index for entry in logged]


async def test_of_two_relays_one_works_and_the_other_takes_over_and_goes_on_after_lost_connections(
    settings: Settings, connection: Connection
) -> None:
    await make_topics(settings)
    codes = [f"{number:02d}" for number in range(12)]
    first, second = Relay(settings), Relay(settings)
    async with running(first, second) as (stop_first, stop_second):
        await put(connection, *codes, padding="x" * 50_000)  # larger than a record batch together
        await until_empty(connection)
        owner, standby = (first, second) if first.epoch is not None else (second, first)
        assert standby.epoch is None
        assert standby.readiness().ready

        (stop_first if owner is first else stop_second).set()
        await put(connection, "c")
        await until_empty(connection)
        assert standby.epoch is not None
        assert await sent_codes(settings) == [*codes, "c"]

        assert await terminate(settings, "relay%") > 0
        await put(connection, "d")
        await until_empty(connection)
    assert [*dict.fromkeys(await sent_codes(settings))] == [*codes, "c", "d"]


async def test_a_relay_of_an_older_epoch_takes_nothing_off(settings: Settings, connection: Connection) -> None:
    await put(connection, "a")
    epoch = await lease.claim(connection, LEASE, "first", settings)
    assert epoch is not None
    await lease.release(connection, LEASE, epoch)
    assert await lease.claim(connection, LEASE, "second", settings) == epoch + 1

    source = PlatformOutbox()
    messages = await source.unsent(connection, 10)
    await source.sent(connection, messages, epoch)
    assert await connection.fetchval("SELECT count(*) FROM platform.outbox") == 1
    await source.sent(connection, messages, epoch + 1)
    assert await connection.fetchval("SELECT count(*) FROM platform.outbox") == 0


async def test_a_row_that_its_writer_may_not_have_decided_halts_the_relay_and_nothing_is_sent(
    settings: Settings, connection: Connection
) -> None:
    await make_topics(settings)
    await put(connection, "aa")
    forged = OutboxEvent(
        "suspended.health.0123456789ab", "campaign.escalated", "agency/health", {}, "2026-01-01T00:00:00Z", 1
    )
    async with connected(settings.acting_as("delivery"), "forger") as delivery:
        await outbox_table.write(delivery, [forged])
    relay = Relay(settings)
    async with running(relay):

        async def is_halted() -> bool:
            return not relay.readiness().ready and "halted" in relay.readiness().details

        await until(is_halted, "the relay is halted")
        reason = str(relay.readiness().details["halted"])
        assert "its id suspended.health.0123456789ab is not that of a campaign.escalated" in reason
        assert await records(settings, PLATFORM_TOPIC) == []
        await connection.execute("DELETE FROM platform.outbox WHERE event_id = $1", forged.id)
        await until_empty(connection)
    assert await sent_codes(settings) == ["aa"]
