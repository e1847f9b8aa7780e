"""Changed rules on a real database: tried without a trace, and taken over without a second trigger."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consumers.programme.campaigns.consumer import CONSUMER, campaigns_consumer
from consumers.programme.campaigns.handlers.not_aired import not_aired
from consumers.programme.campaigns.handlers.occurrences import Owners
from consumers.programme.campaigns.handlers.rules import trigger
from consumers.programme.campaigns.rows import COVERAGE
from consumers.programme.campaigns.rules.in_force import release_rules
from consumers.programme.campaigns.rules.rule import Rule, RuleSet
from consumers.programme.campaigns.trial.trial import changed_rules, try_rules
from consumers.programme.campaigns.unaired import due_triggers
from consumers.programme.projections.handlers.services import SERVICE
from consumers.replay.as_of.view import NoSuchIndex
from consumers.replay.fold.consumer import Consumer
from consumers.replay.pipeline.pipeline import Pipeline
from consumers.replay.pipeline.writer import Writer
from consumers.replay.rebuild.rebuild import RebuildOptions, RuleChanged, rebuild
from infra.postgres.connection import Connection, connected
from infra.postgres.migrate import create_tables
from infra.postgres.outbox import event_bytes
from infra.settings import Settings
from tests.paths import ROOT
from tests.world.logs import apply_live, write_log
from tests.world.story import Story
from tests.world.topics import make_topics
from tests.world.waits import running, until

NOW = datetime(2027, 1, 1, tzinfo=UTC)
HALTED = "SELECT halted_reason FROM platform.position WHERE consumer = 'campaigns'"
NAME = {"ar": "الصحة", "en": "Health"}
EXAMPLE = ROOT / "docs" / "examples" / "campaign-rules" / "not-aired.yaml"
RETURNED = """
name: service-returned
version: 2
when: service.resumed
kind: general
owner: service-owner
channels: [radio]
due_working_days: 2
brief: {ar: "عادت خدمة «{name}» ({owner})", en: "The service “{name}” of {owner} is back"}
reason: {ar: "بالقيد {cause}", en: "By entry {cause}"}
"""


def story_of_two_services() -> Story:
    """S is launched, suspended and resumed, T is launched and aired on tv; all triggers are in the log."""
    story = Story()
    story.tell("platform", "registry.agency-registered", code="health", role="agency", name=NAME)
    for service in ("S", "T"):
        story.register(service)
    story.launch("S")
    story.launch("T")
    story.come_back()
    story.air("service-launched.i6", "A", "tv")
    story.change("suspended", "S")
    story.change("resumed", "S")
    story.come_back()
    return story


@pytest.fixture
async def story(connection: Connection) -> Story:
    told = story_of_two_services()
    await write_log(connection, told.raw)
    return told


def with_rule(text: str, folder: Path) -> RuleSet:
    """The release's rules with this one."""
    path = folder / "rule.yaml"
    path.write_text(text, encoding="utf-8")
    return changed_rules(release_rules(), path)


async def tables(connection: Connection) -> Any:
    return await connection.fetch(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname NOT LIKE 'pg_%' ORDER BY 1, 2"
    )


async def test_a_changed_rule_is_tried_on_the_history_and_leaves_no_trace(
    settings: Settings, connection: Connection, story: Story, tmp_path: Path
) -> None:
    before = await tables(connection)
    changed = with_rule(RETURNED, tmp_path)
    short = replace(next(rule for rule in changed.rules if rule.name == "service-launched"), due_working_days=3)
    others = [rule for rule in changed.rules if rule.name != "service-launched"]
    trial = await try_rules(settings, release_rules(), RuleSet((*others, short)), "0", NOW)

    resumed = next(entry.index for entry in story.entries if entry.type == "service.resumed")
    (fired,) = trial.fired
    assert (fired.campaign_id, fired.owner, fired.in_log) == (f"service-returned.i{resumed}", "health", False)
    assert fired.brief.en == "The service “S” of Health is back"
    assert [(row.campaign_id, row.differs_in) for row in trial.changed] == [
        ("service-launched.i5", ("due_on",)),
        ("service-launched.i6", ("due_on",)),
    ]
    assert (trial.no_longer, trial.unchanged, trial.log_index) == ((), 0, len(story.entries))
    assert await tables(connection) == before

    without = RuleSet(tuple(rule for rule in release_rules().rules if rule.name != "service-launched"))
    gone = await try_rules(settings, release_rules(), without, "6", NOW)
    assert [(row.campaign_id, row.in_log) for row in gone.no_longer] == [("service-launched.i6", True)]
    later = await try_rules(settings, release_rules(), without, "2026-11-02", NOW)
    assert later.since == len(story.entries)
    assert later.no_longer == ()
    with pytest.raises(NoSuchIndex):
        await try_rules(settings, release_rules(), without, "20261102", NOW)

    # A rule about the clock is tried as of now, and the timers get the same from the live rows.
    rules = changed_rules(release_rules(), EXAMPLE)
    trial = await try_rules(settings, release_rules(), rules, "0", NOW)
    expected = [f"not-aired.{part}" for part in ("i5.tv", "i5.radio", "i5.print", "i6.radio", "i6.print")]
    assert [row.campaign_id for row in trial.fired] == expected

    await create_tables(connection, CONSUMER.schema, CONSUMER.create_sql())
    await apply_live(connection, CONSUMER, story.raw)
    await connection.execute("SET search_path = campaigns")
    assert await due_triggers(connection, release_rules(), NOW) == []
    assert await due_triggers(connection, rules, datetime(2026, 11, 22, 20, 59, tzinfo=UTC)) == []
    found = await due_triggers(connection, rules, datetime(2026, 11, 22, 21, 0, tzinfo=UTC))
    assert [event.id for event in found] == [f"triggered.{campaign}" for campaign in expected]
    assert found == await due_triggers(connection, rules, NOW)
    assert json.dumps(found[0].data["brief"], ensure_ascii=False).count("S") == 2


def came_due(story: Story, rule: Rule) -> None:
    """What the timers triggered by a rule about the clock is in the log."""
    services = {service.service_id: service for service in story.store.rows(SERVICE)}
    found = [
        not_aired(rule, channel, services[row.service_id], row, row.campaign_ids, Owners("yesser"), NOW)
        for row in story.store.rows(COVERAGE)
        for channel in rule.channels
    ]
    for proposal in found:
        if proposal is not None:
            story.append(event_bytes(trigger(proposal, 1)))


async def test_a_rule_about_the_clock_is_compared_with_what_it_triggered_whatever_was_aired_since(
    settings: Settings, connection: Connection
) -> None:
    told, in_force = story_of_two_services(), changed_rules(release_rules(), EXAMPLE)
    (rule,) = in_force.about("not-aired")
    told.at = "2026-12-15T08:00:00.000000Z"
    came_due(told, rule)
    told.air("not-aired.i5.tv", "B", "tv")
    told.air("service-launched.i6", "C", "radio")
    await write_log(connection, told.raw)
    triggered = {f"not-aired.{part}" for part in ("i5.tv", "i5.radio", "i5.print", "i6.radio", "i6.print")}

    gone = await try_rules(settings, in_force, release_rules(), "0", NOW)
    assert {row.campaign_id for row in gone.no_longer if row.in_log} == triggered
    others = [one for one in in_force.rules if one != rule]
    earlier = RuleSet((*others, replace(rule, after_working_days=10)))
    moved = await try_rules(settings, in_force, earlier, "0", NOW)
    assert {row.campaign_id for row in moved.changed if "due_on" in (row.differs_in or ())} == triggered
    assert (moved.fired, moved.no_longer, moved.unchanged) == ((), (), 2)
    again = await try_rules(settings, release_rules(), in_force, "0", NOW)
    assert {row.campaign_id for row in again.fired} == triggered


async def take_over(settings: Settings, consumer: Consumer, epoch: int) -> bool:
    """Whether the consumer finds rows of its version."""
    async with connected(settings.acting_as(consumer.name), "test") as own:
        return await Writer(consumer, own, epoch).open()


async def test_changed_rules_rebuild_the_rows_publish_nothing_and_need_a_higher_version(
    settings: Settings, connection: Connection, story: Story, tmp_path: Path
) -> None:
    await create_tables(connection, CONSUMER.schema, CONSUMER.create_sql())
    assert await take_over(settings, CONSUMER, 1)
    await apply_live(connection, CONSUMER, story.raw)

    first = campaigns_consumer(lambda: with_rule(RETURNED, tmp_path))
    assert first.rows_version.number == CONSUMER.version.number
    assert first.rows_version != CONSUMER.rows_version
    assert not await take_over(settings, first, 2)
    await rebuild(settings.acting_as(first.name), first, RebuildOptions(compare=False, swap=True))
    assert await take_over(settings, first, 3)
    kept = await connection.fetchval("SELECT rules FROM platform.position WHERE consumer = 'campaigns'")
    assert kept["version"] == 2
    assert kept["rules"]["service-returned"]["version"] == 2
    assert kept["rules"]["quota-met"]["version"] == 1
    await connection.execute("SET search_path = campaigns")
    never = await connection.fetchval("SELECT count(*) FROM campaign WHERE triggered_index IS NULL")
    assert never == 1, "the new rule's campaign of the earlier resumption"
    assert await connection.fetchval("SELECT count(*) FROM platform.outbox") == 0

    other = campaigns_consumer(lambda: with_rule(RETURNED.replace("days: 2", "days: 4"), tmp_path))
    assert not await take_over(settings, other, 4)
    with pytest.raises(RuleChanged, match=r"Changed: rule\.yaml"):
        await rebuild(settings.acting_as(other.name), other, RebuildOptions(compare=False, swap=True))
    # Removed, and back with other words in the same version.
    await rebuild(settings.acting_as("campaigns"), CONSUMER, RebuildOptions(compare=False, swap=True))
    with pytest.raises(RuleChanged):
        await rebuild(settings.acting_as(other.name), other, RebuildOptions(compare=False, swap=True))
    higher = RETURNED.replace("days: 2", "days: 4").replace("version: 2", "version: 3")
    third = campaigns_consumer(lambda: with_rule(higher, tmp_path))
    await rebuild(settings.acting_as(third.name), third, RebuildOptions(compare=False, swap=True))
    assert await take_over(settings, third, 5)

    # The service is suspended again: only the campaign that was triggered says so.
    story.change("suspended", "S")
    decided = await apply_live(connection, third, story.raw)
    assert [event.data["campaign_id"] for event in decided] == ["service-launched.i5"]


async def test_a_rule_changed_in_place_halts_the_consumer_which_names_the_file(
    settings: Settings, connection: Connection, story: Story, tmp_path: Path
) -> None:
    await make_topics(settings)
    await create_tables(connection, CONSUMER.schema, CONSUMER.create_sql())
    first = campaigns_consumer(lambda: with_rule(RETURNED, tmp_path))
    assert await take_over(settings, first, 0)
    changed = with_rule(RETURNED.replace("days: 2", "days: 4"), tmp_path)

    async def halted() -> bool:
        return await connection.fetchval(HALTED) is not None

    async with running(Pipeline(campaigns_consumer(lambda: changed), settings)):
        await until(halted, "halted")
    reason = await connection.fetchval(HALTED)
    assert "Changed: rule.yaml" in reason
    assert await connection.fetchval("SELECT position FROM platform.position WHERE consumer = 'campaigns'") == 0
