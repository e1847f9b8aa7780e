"""Scenario: a decision's whole way. The campaigns consumer decides a trigger, the relay forwards it, the registrar
numbers it, the consumer finds its own decision in the log, and the relay sends it to the teams.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from consumers.documents.campaigns.campaigns import Campaign
from consumers.programme.campaigns.consumer import CONSUMER
from consumers.programme.campaigns.filters import CampaignFilter
from consumers.programme.campaigns.read import campaigns
from consumers.relay.relay import Relay
from consumers.replay.as_of.view import view
from consumers.replay.pipeline.pipeline import Pipeline
from infra.kafka.client_config import agency_triggers_topic
from tests.oracle.fold import Figures, fold
from tests.oracle.log import full_type, make_event, read_entry, sender
from tests.scenarios.invariants import read_topic
from tests.simulate.numbering import REGISTRAR, broken_log, found_agencies, raw_log, unregistered
from tests.simulate.worlds import Role, Scenario, World
from tests.world.documents import as_json
from tests.world.events import encoded
from tests.world.topics import HEALTH_TOPIC, LABOUR_TOPIC, send

CAMPAIGNS: Final = Role(f"consumer.{CONSUMER.name}", lambda settings: Pipeline(CONSUMER, settings))
RELAY: Final = Role("relay", Relay)
WORDS: Final = {"ar": "نص", "en": "word"}
TODAY: Final = "2026-11-01"
TRIGGERED: Final = full_type("campaign.triggered")
ACKNOWLEDGED: Final = full_type("awareness.campaign-acknowledged")


def announced(agency: str, name: str) -> bytes:
    """An initiative, about which there is to be a campaign."""
    data = {"initiative_id": name, "name": WORDS, "aim": WORDS, "on": "2005-05-05"}
    return encoded(make_event("awareness.initiative-announced", agency, f"initiative/{name}", data, f"{agency}.{name}"))


def acknowledged(agency: str, campaign_id: str) -> bytes:
    """The owner's answer to a trigger."""
    subject, data = f"campaign/{campaign_id}", {"campaign_id": campaign_id, "by": "team", "on": TODAY}
    return encoded(make_event("awareness.campaign-acknowledged", agency, subject, data, f"{agency}.{campaign_id}"))


def figures(raw: Sequence[bytes]) -> Figures:
    """What the independent model says of a log."""
    return fold(read_entry(index, entry) for index, entry in enumerate(raw))


async def undecided(world: World) -> str | None:
    """What the registrar, the consumer and the relay have still to do, but for what a person decides."""
    if await world.connection.fetchval("SELECT to_regclass('campaigns.route')") is None:
        return "the consumer has no tables"
    row = await world.connection.fetchrow(
        "SELECT size, (SELECT position FROM platform.position WHERE consumer = $1),"
        " (SELECT count(*) FROM platform.outbox WHERE held_at IS NULL OR released_at IS NOT NULL) AS outbox,"
        " (SELECT count(*) FROM campaigns.route r, unnest(array['', '.' || r.owner]) AS topic WHERE index >= coalesce("
        " (SELECT next_index FROM platform.route_position WHERE route = 'campaign-triggers' || topic), 0)"
        " AND (topic <> '' OR type = 'campaign.triggered')) AS routes FROM log.state",
        CONSUMER.name,
    )
    if row["position"] != row["size"] or row["outbox"] or row["routes"]:
        return f"{dict(row)}"
    return await unregistered(world)


async def broken_decisions(world: World, raw: Sequence[bytes]) -> list[str]:
    """The campaigns are the oracle's, each is triggered in the log, and the platform's topic was refused nothing."""
    if refused := await world.connection.fetch("SELECT index, claimed_id, errors::text FROM log.refusal"):
        return [f"refused are {[dict(row) for row in refused]}"]
    found = await broken_log(world, raw)
    expected = figures(raw)
    async with view(world.settings, [CONSUMER]) as looked_at:
        shown = as_json(await campaigns(await looked_at.use(CONSUMER), CampaignFilter(TODAY), Campaign))
    if shown != expected.campaigns:
        found.append(f"campaigns are {shown}, and not {expected.campaigns}")
    if expected.untriggered:
        found.append(f"due and not in the log: {expected.untriggered}")
    return found


async def broken_topics(world: World, raw: Sequence[bytes], *agencies: str) -> list[str]:
    """The topic of each agency has the entries about its campaigns in their order; some may be there twice."""
    found = []
    for agency in agencies:
        events = [json.loads(entry)["event"] for entry in raw]
        about = [
            event["id"]
            for event in events
            if (event["type"] == TRIGGERED and event["data"]["owner"] == agency)
            or (event["type"] == ACKNOWLEDGED and sender(event) == agency)
        ]
        topic = agency_triggers_topic(world.settings, agency)
        records = await read_topic(world.settings, topic) if topic in world.broker.topics else []
        sent = list(dict.fromkeys(json.loads(record.value)["id"] for record in records))
        if sent != about:
            found.append(f"the topic of {agency} has {sent}, and not {about}")
    return found


class Deciding(Scenario):
    """Two agencies' announcements, and an answer to the trigger of one."""

    roles: Sequence[Role] = (REGISTRAR, CAMPAIGNS, RELAY)

    async def found(self, world: World) -> None:
        world.start(CAMPAIGNS, RELAY)
        await found_agencies(world)

    async def act(self, world: World) -> None:
        await send(world.settings, HEALTH_TOPIC, announced("health", "I-1"))
        await send(world.settings, LABOUR_TOPIC, announced("labour", "I-2"))
        await world.rest(stays_s=0)
        for row in figures(await raw_log(world)).campaigns:
            if row["owner"] == "health":
                await send(world.settings, HEALTH_TOPIC, acknowledged("health", row["campaign_id"]))

    async def unfinished(self, world: World) -> str | None:
        return await undecided(world)

    async def broken(self, world: World) -> list[str]:
        raw = await raw_log(world)
        return await broken_decisions(world, raw) + await broken_topics(world, raw, "health", "labour")
