"""Tables, lists, inbox and coverage on the real PostgreSQL: who must act, by what day, and what was launched in
silence."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.documents.campaigns.campaigns import Campaign, CampaignState, Channel, InboxItem, NextAction
from consumers.programme.campaigns.consumer import CONSUMER
from consumers.programme.campaigns.coverage.read import CoverageFilter, coverage
from consumers.programme.campaigns.filters import CampaignFilter
from consumers.programme.campaigns.read import campaigns, counts, team_subscriptions
from consumers.programme.campaigns.read import campaigns_at as read
from consumers.replay.as_of.view import view
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.documents import as_json
from tests.world.logs import write_log
from tests.world.story import Story
from tests.world.teams import fold

DUE = "2026-11-15"
"""Ten working days after Sunday, 2026-11-01."""


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


def told() -> tuple[Story, dict[str, str]]:
    """Five services launched on one day, and what was done about each campaign; an initiative two weeks later."""
    story = Story()
    names = {}
    for service in ("ACKED", "AIRED", "DONE", "NEW", "PAUSED"):
        story.register(service)
        names[service] = f"service-launched.i{story.launch(service)}"
    story.come_back()
    story.at = "2026-11-02T08:00:00.000000Z"
    for service in ("ACKED", "AIRED"):
        story.acknowledge(names[service])
    for number, channel in enumerate(("tv", "radio", "print")):
        story.air(names["AIRED"], f"A{number}", channel, reach=2**53 - 1)
    story.air(names["ACKED"], "B", "tv", reach=5)
    story.complete(names["DONE"])
    story.change("suspended", "PAUSED")
    story.come_back()
    story.at = "2026-11-16T08:00:00.000000Z"
    names["INITIATIVE"] = f"initiative-announced.i{story.announce('I', agency='interior')}"
    story.come_back()
    return story, names


@pytest.fixture
async def names(connection: Connection) -> dict[str, str]:
    story, names = told()
    await fold(connection, story.entries, batch=6)
    return names


async def ids(connection: Connection, chosen: CampaignFilter) -> list[str]:
    return [row.campaign_id for row in await campaigns(connection, chosen, Campaign)]


FILTERS: tuple[tuple[dict[str, Any], tuple[str, ...]], ...] = (
    ({"state": "open"}, ("ACKED", "AIRED", "INITIATIVE", "NEW", "PAUSED")),
    ({"state": "triggered"}, ("INITIATIVE", "NEW", "PAUSED")),
    ({"state": "acknowledged"}, ("ACKED", "AIRED")),
    ({"state": "completed"}, ("DONE",)),
    ({"state": "paused"}, ("PAUSED",)),
    ({"state": "escalated"}, ()),
    ({"owner": "interior"}, ("INITIATIVE",)),
    ({"service": "NEW"}, ("NEW",)),
    ({"rule": "service-launched", "state": "completed"}, ("DONE",)),
    ({"channel": "radio", "owner": "health", "state": "acknowledged"}, ("ACKED", "AIRED")),
    ({"due_before": DUE}, ()),
    ({"due_before": "2026-11-16"}, ("ACKED", "AIRED", "DONE", "NEW", "PAUSED")),
)
"""What is asked for, and the campaigns that all of it holds for."""
TEAM = "INSERT INTO delivery.team (agency, team, name) VALUES ($1, 'press', '{}')"
SUBSCRIBE = """INSERT INTO delivery.subscription (agency, team, route, rules, services, channels, from_index, ended_at)
VALUES ('health', 'press', 'email', $1, $2, $3, 0, $4::text::timestamptz)"""


async def test_the_inbox_says_what_is_missing_what_is_late_and_what_comes_next_for_a_team_or_for_all(
    connection: Connection, names: dict[str, str]
) -> None:
    chosen = CampaignFilter("2026-11-16", owner="health", state="open", sort="due")
    rows = {row.campaign_id: row for row in await campaigns(connection, chosen, InboxItem)}
    assert len(rows) == 4
    acked = rows[names["ACKED"]]
    assert (acked.acknowledged_by, acked.acknowledged_at) == ("desk", "2026-11-02T08:00:00.000000Z")
    assert acked.missing_channels == (Channel.RADIO, Channel.PRINT)
    assert (acked.next_action, acked.overdue) == (NextAction.AIR, True)
    assert (acked.due_on, acked.due_on_hijri) == (DUE, "1448-06-05")
    assert as_json(acked.service) == {
        "service_id": "ACKED",
        "name": {"ar": "«ACKED»", "en": "ACKED"},
        "url": None,
        "launched_on": "2026-11-01",
        "channels": ["web"],
    }
    assert [rows[names[name]].next_action for name in ("NEW", "AIRED", "PAUSED")] == [
        NextAction.ACKNOWLEDGE,
        NextAction.COMPLETE,
        None,
    ]
    counted = {"overdue": 2, "paused": 1, "acknowledge": 1, "air": 1, "complete": 1, "completed": 0}
    assert as_json(await counts(connection, chosen)) == {"campaigns": 4, **counted}

    on_the_day = await ids(connection, CampaignFilter(DUE, overdue=True))
    the_day_after = await ids(connection, CampaignFilter("2026-11-16", overdue=True))
    assert on_the_day == []
    assert the_day_after == sorted([names["ACKED"], names["NEW"]])
    assert the_day_after == await ids(connection, CampaignFilter("2026-11-16", state="overdue"))
    others = await ids(connection, CampaignFilter("2026-11-16", overdue=False))
    own = set(names.values())
    assert sorted(own & {*others, *the_day_after}) == sorted(names.values())
    assert not {*others} & {*the_day_after}

    for narrow, names_found in FILTERS:
        expected = sorted(names[name] for name in names_found)
        chosen_ids = await ids(connection, CampaignFilter("2026-11-16", **narrow))
        assert [name for name in chosen_ids if name in own] == expected, narrow

    whole = await campaigns(connection, CampaignFilter(DUE, sort="due"), Campaign)
    assert [row.due_on for row in whole if row.campaign_id in own] == [DUE] * 5 + ["2026-11-30"]
    for number, row in enumerate(whole):
        after = (row.due_on, row.campaign_id)
        chosen = CampaignFilter(DUE, sort="due", after=after, rows_max=2)
        assert await campaigns(connection, chosen, Campaign) == whole[number + 1 : number + 3]

    assert await team_subscriptions(connection, "health", "press") is None
    await connection.execute(TEAM, "health")
    assert await team_subscriptions(connection, "health", "press") == []

    async def seen() -> list[str]:
        wanted = await team_subscriptions(connection, "health", "press")
        chosen = CampaignFilter(DUE, owner="health", state="open", sort="due", subscriptions=wanted)
        rows = await campaigns(connection, chosen, InboxItem)
        return [row.campaign_id for row in rows]

    assert await seen() == [], "without a subscription nothing is the team's"
    await connection.execute(SUBSCRIBE, None, None, None, "2026-01-01T00:00:00Z")
    assert await seen() == [], "one that has ended"
    await connection.execute(SUBSCRIBE, ["quota-met"], None, None, None)
    await connection.execute(SUBSCRIBE, None, ["NEW"], ["radio"], None)
    assert await seen() == [names["NEW"]]
    await connection.execute(SUBSCRIBE, ["service-launched"], None, None, None)
    assert len(await seen()) == 4

    columns = await connection.fetch(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = $1 AND tablename = 'campaign'", CONSUMER.schema
    )
    assert {"(due_on, campaign_id)", "(owner, due_on, campaign_id)"} <= {
        row["indexdef"][row["indexdef"].index("(") :] for row in columns
    }


async def test_coverage_counts_what_was_aired_and_silent_launches(settings: Settings, names: dict[str, str]) -> None:
    async def covered(chosen: CoverageFilter) -> Any:
        async with view(settings, [CONSUMER]) as state:
            return as_json(await coverage(state, chosen))

    found = await covered(CoverageFilter())
    rows = {row["service_id"]: row for row in found["services"]}
    assert list(rows) == ["ACKED", "AIRED", "DONE", "NEW", "PAUSED"]
    assert rows["ACKED"]["channels"]["tv"] == {
        "airings": 1,
        "reach": 5,
        "first_aired_on": "2026-11-01",
        "days_to_first_airing": 0,
    }
    assert (rows["ACKED"]["missing_channels"], rows["ACKED"]["silent"]) == (["radio", "print"], False)
    assert (rows["NEW"]["silent"], rows["NEW"]["days_to_first_airing"]) == (True, None)
    assert rows["AIRED"]["reach"] == 3 * (2**53 - 1)
    figures = {
        "launched_services": 5,
        "on_all_three": 1,
        "silent": 3,
        "airings": 4,
        "reach": 3 * (2**53 - 1) + 5,
        "aired": {"tv": 2, "radio": 1, "print": 1},
        "median_days_to_first_airing": 0,
    }
    assert found["agencies"] == [{"agency": "health", **figures}]
    assert found["total"] == figures
    unaired = await covered(CoverageFilter("health", unaired=True, rows_max=2))
    assert [row["service_id"] for row in unaired["services"]] == ["ACKED", "DONE"]
    nothing = await covered(CoverageFilter("interior"))
    assert (nothing["services"], nothing["agencies"], nothing["total"]["launched_services"]) == ([], [], 0)


DECIDED = "SELECT count(*) FROM platform.outbox"


async def test_the_tables_keep_what_memory_keeps_and_give_the_lists_of_now_and_of_then(
    settings: Settings, connection: Connection
) -> None:
    assert await read(settings) == [], "before the first trigger"
    story = published_story()
    await write_log(connection, story.raw)
    await fold(connection, story.entries, batch=7)
    decided = await connection.fetchval(DECIDED)
    assert decided >= 6
    for table in CONSUMER.tables:
        found = await connection.fetch(f"SELECT * FROM {table.name} ORDER BY {', '.join(table.key)}")
        kept = [tuple(row[column] for column in table.columns) for row in found]
        assert kept == [tuple(getattr(row, c) for c in table.columns) for row in story.store.rows(table)], table.name

    rows = await read(settings)
    assert [row.campaign_id for row in rows] == sorted(story.in_log())
    first_trigger = next(entry.index for entry in story.entries if entry.type == "campaign.triggered")
    assert await read(settings, first_trigger) == []
    (row,) = await read(settings, first_trigger + 1)
    assert (row.campaign_id, row.state, row.paused) == ("service-launched.i4", CampaignState.TRIGGERED, True)
    assert await read(settings, len(story.entries)) == rows
    assert await connection.fetchval(DECIDED) == decided, "looking back decides nothing"
