"""`yesser campaigns explain`: why there is a campaign, or why there is none."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.documents.campaigns.evaluations import Explanation, Facts
from consumers.programme.campaigns import read
from consumers.programme.campaigns.consumer import CONSUMER
from consumers.programme.campaigns.explain.read import CONSUMERS, explain
from consumers.programme.campaigns.rules.in_force import release_rules
from consumers.programme.campaigns.rules.rule import RuleSet
from consumers.programme.campaigns.rules.rule_file import read_rule
from consumers.programme.campaigns.show import explanation_parts
from consumers.replay.as_of.view import view
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from infra.postgres.connection import Connection
from infra.postgres.migrate import create_tables
from infra.settings import Settings
from tests.paths import ROOT
from tests.world.commands import Yesser
from tests.world.documents import as_json
from tests.world.logs import apply_live, write_log
from tests.world.story import Story

EXAMPLE = read_rule(ROOT / "docs" / "examples" / "campaign-rules" / "not-aired.yaml")


def told() -> tuple[Story, dict[str, int]]:
    """The entries that the tests ask about, by name."""
    story = Story()
    story.adopt(one=2)
    story.register("S")
    story.register("N")
    at = {"launch": story.launch("S")}
    story.come_back()
    at["again"] = story.launch("S")
    at["foreign"] = story.launch("S", agency="justice")
    at["waiting"] = story.launch("W")
    story.change("suspended", "S")
    campaign = f"service-launched.i{at['launch']}"
    at["wrong"] = story.acknowledge(campaign, agency="justice")
    at["acknowledged"] = story.acknowledge(campaign)
    story.set_quota(3)
    at["first"] = story.certify("c1")
    at["second"] = story.certify("c2")
    at["initiative"] = story.announce("I")
    return story, at


async def apply(connection: Connection, story: Story) -> None:
    """The story as the log, and the tables that are asked."""
    await write_log(connection, story.raw)
    for consumer in (CONSUMER, EVENT_INDEX):
        await create_tables(connection, consumer.schema, consumer.create_sql())
        await connection.execute(f"SET search_path = {consumer.schema}")
        await apply_live(connection, consumer, story.raw)


async def asked(settings: Settings, name: str, rules: RuleSet | None = None) -> Explanation:
    async with view(settings, CONSUMERS) as state:
        found = await explain(state, rules or release_rules(), name)
    assert found is not None
    assert "\n".join(explanation_parts(found))
    return found


def english(found: Explanation) -> str:
    return "\n".join(text.en for text in found.remarks)


async def test_every_name_tells_what_was_decided_about_it_and_what_was_not(
    settings: Settings, connection: Connection, yesser: Yesser
) -> None:
    story, entries = told()
    await apply(connection, story)
    service = await asked(settings, "S")
    (campaign,) = service.campaigns
    assert (campaign.acknowledged_by, campaign.acknowledged_index) == ("desk", entries["acknowledged"])
    fired = {row.cause_index: row.fired for row in service.evaluations if row.rule == "service-launched"}
    assert fired == {entries["launch"]: True, entries["again"]: False, entries["foreign"]: False}
    reasons = " ".join(row.reason.en for row in service.evaluations)
    for words in ("already-launched", "not-owner", "1 of 2 at entry"):
        assert words in reasons
    assert "suspended since 2026-11-01" in english(service)

    waits = await asked(settings, "W")
    assert f"entry i{entries['waiting']} (service.launched) of health" in english(waits)
    assert waits.facts.registered is False
    assert "not launched" in english(await asked(settings, "N"))
    without = RuleSet(tuple(rule for rule in release_rules().rules if rule.when != "service.launched"))
    assert "No rule is about service.launched" in english(await asked(settings, "N", without))

    quota = await asked(settings, "gregorian/2026/usage")
    assert quota.facts == Facts(seats=3, net=2)
    below = quota.evaluations[-1]
    assert (below.first_index, below.cause_index, below.count) == (entries["first"], entries["second"], 2)
    assert below.reason.en == f"2 of 3 at entry i{entries['second']}."
    assert quota.evaluations[0].fired is False

    group = await asked(settings, "P/1")
    assert group.facts == Facts(launched=1, target=2)
    assert {row.fired for row in group.evaluations} == {False}

    own = await asked(settings, f"service-launched.i{entries['launch']}")
    assert f"Entry i{entries['wrong']} of justice changed nothing: not-owner" in english(own)
    refused = await asked(settings, f"service-launched.i{entries['again']}")
    assert [row.fired for row in refused.evaluations] == [False]
    initiative = await asked(settings, "I")
    about_it = [rule.name for rule in release_rules().rules if rule.when == "awareness.initiative-announced"]
    assert [row.rule for row in initiative.evaluations] == about_it
    assert "is not in the log yet" in english(initiative)

    early = await yesser.document("campaigns", "explain", "S", "--as-of-index", str(entries["launch"]))
    assert early["about"] == {"kind": "service", "id": "S"}
    assert (early["log_index"], early["campaigns"]) == (entries["launch"], [])
    unknown = await yesser.run("campaigns", "explain", "nothing")
    assert "the log has no campaign, service" in str(unknown.exception)

    rules = RuleSet((*release_rules().rules, EXAMPLE))
    assert "no airing" not in english(await asked(settings, "S", rules)), "suspended"
    await connection.execute("UPDATE campaigns.coverage SET suspended_from = NULL")
    assert "Rule not-aired: no airing on radio; it fires on 2026-11-23" in english(await asked(settings, "S", rules))
    await connection.execute("UPDATE platform.position SET folds_from = 1000 WHERE consumer = 'campaigns'")
    assert "it was not and will not be triggered" in english(await asked(settings, "I")), "newer rules are too late"


async def test_what_looks_like_something_else_is_found_and_a_group_is_that_of_its_own_plan(
    settings: Settings, connection: Connection
) -> None:
    story, launched, adopted = Story(), {}, {}
    names = ("passport.i1", "e-visa.i2", "gregorian-2026-usage", "service-launched.i999")
    for name in names:
        story.register(name, group=2)
        launched[name] = story.launch(name)
    story.come_back()
    wrong = [story.acknowledge(name, agency="justice") for name in (*names, "permit.i1")]
    for plan in ("P", "Q"):
        adopted[plan] = story.adopt(plan, one=1)
        story.register(f"S-{plan}", plan=plan)
        launched[plan] = story.launch(f"S-{plan}")
    await apply(connection, story)
    for name in names:
        found = await asked(settings, name)
        assert (found.about.kind, found.facts.launched_index) == ("service", launched[name])
        assert [row.campaign_id for row in found.campaigns] == [f"service-launched.i{launched[name]}"]

    found = await asked(settings, "permit.i1")
    assert found.about.kind == "campaign"
    assert f"Entry i{wrong[-1]} of justice changed nothing: unknown-campaign" in english(found)
    for plan in ("P", "Q"):
        found = await asked(settings, f"{plan}/1")
        assert [(row.cause_index, row.fired) for row in found.evaluations] == [
            (launched[plan], True),
            (adopted[plan], False),
        ]
        assert [row.cause_index for row in found.campaigns] == [launched[plan]]


async def test_a_history_keeps_what_happened_though_others_send_what_changes_nothing(
    settings: Settings, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story()
    story.register("S")
    campaign = f"service-launched.i{story.launch('S')}"
    story.come_back()
    wrong = [story.acknowledge(campaign, agency="justice") for _ in range(4)]
    acknowledged = story.acknowledge(campaign)
    wrong += [story.complete(campaign, agency="justice") for _ in range(4)]
    completed = story.complete(campaign)
    await apply(connection, story)

    async def seen(most: int) -> Any:
        monkeypatch.setattr(read, "HISTORY_MAX", most)
        async with view(settings, [CONSUMER]) as state:
            return as_json(await read.campaign(state, campaign))

    found = await seen(5)
    steps = {step["index"]: step["anomaly"] for step in found["history"]}
    assert list(steps) == sorted([found["triggered_index"], acknowledged, completed, *wrong[-2:]])
    assert [steps[index] for index in (acknowledged, wrong[-1], completed)] == [None, "not-owner", None]
    assert found["more_history"] is True

    found = await seen(11)
    assert (len(found["history"]), found["more_history"]) == (11, False)
