"""Which entry triggers which campaign, and what is kept of a decision: `test_against_oracle` judges every history."""

from __future__ import annotations

from dataclasses import replace

from consumers.programme.campaigns.consumer import campaigns_consumer
from consumers.programme.campaigns.rows import EVALUATION, EVALUATION_RUN
from consumers.programme.campaigns.rules.rule import RuleSet
from tests.world.memory_store import MemoryStore
from tests.world.story import RULES, Story


def ids(story: Story, rule: str = "") -> list[str]:
    return [event.id.removeprefix("triggered.") for event in story.outbox if rule in event.id]


def test_a_launched_service_triggers_a_specific_campaign_of_its_owner() -> None:
    story = Story()
    story.register("S")
    index = story.launch("S")
    (event,) = story.outbox
    assert (event.id, event.type) == (f"triggered.service-launched.i{index}", "campaign.triggered")
    assert (event.subject, event.time) == (f"campaign/service-launched.i{index}", story.at)
    assert event.cause_index == index
    brief, reason = event.data["brief"], event.data["reason"]
    assert event.data == {
        "campaign_id": f"service-launched.i{index}",
        "rule": "service-launched",
        "rules_version": 1,
        "cause_index": index,
        "kind": "specific",
        "owner": "health",
        "service_id": "S",
        "channels": ["tv", "radio", "print"],
        "due_on": "2026-11-15",
        "brief": brief,
        "reason": reason,
    }
    assert ("«S»" in brief["ar"], "“S”" in brief["en"], f"i{index}" in reason["ar"]) == (True, True, True)


def test_a_launch_that_waited_dates_the_campaign_and_one_that_changes_nothing_says_why() -> None:
    story = Story(at="2026-11-01T08:00:00.000000Z")
    index = story.launch("S")
    assert story.outbox == []
    story.at = "2026-11-04T08:00:00.000000Z"
    story.register("S")
    again, foreign = story.launch("S"), story.launch("S", agency="justice")
    (event,) = story.outbox
    assert (event.id, event.time) == (f"triggered.service-launched.i{index}", "2026-11-01T08:00:00.000000Z")
    assert event.data["due_on"] == "2026-11-15"
    kept = {row["cause_index"]: row for row in story.rows(EVALUATION)}
    assert (kept[again]["fired"], kept[again]["campaign_id"]) == (False, None)
    assert "already-launched" in kept[again]["reason"]["en"]
    assert "not-owner" in kept[foreign]["reason"]["ar"]
    assert story.anomalies() == [], "the projections report these"


def test_a_group_is_completed_once_by_what_reaches_its_target_and_each_evaluation_says_why() -> None:
    story = Story()
    story.adopt(one=2)
    for service in ("A", "B", "C"):
        story.register(service)
    story.launch("A")
    second = story.launch("B")
    story.launch("C")
    assert ids(story, "group") == [f"group-completed.i{second}.1"]
    assert story.outbox[-2].data["owner"] == "yesser"
    reasons = [row["reason"]["en"] for row in story.rows(EVALUATION) if row["rule"] == "group-completed"]
    for words, reason in zip(("1 of 2 at entry", "reached", "fired"), reasons[3:], strict=True):
        assert words in reason


def test_a_group_may_be_completed_by_a_registration_an_amendment_or_an_adoption_of_its_own_plan() -> None:
    story = Story()
    story.launch("A")
    story.adopt(one=1, two=1)
    registered = story.register("A")
    story.register("B", group=2, plan="Q")
    story.launch("B")
    story.amend(one=2, two=0)
    adopted = story.adopt("Q", two=2)
    amended = story.amend("Q", two=1)
    assert ids(story, "group") == [f"group-completed.i{registered}.1", f"group-completed.i{amended}.2"]
    assert adopted < amended


def test_a_quota_is_met_by_the_certificate_that_fills_it_in_either_calendar_and_never_twice() -> None:
    story = Story()
    second_office = {"code": "second", "role": "office", "name": {"ar": "ثانية", "en": "Second"}}
    story.tell("platform", "registry.agency-registered", **second_office)
    story.set_quota(2)
    story.set_quota(1, year=1447, calendar="umm-al-qura")
    first = story.certify("c1")
    story.revoke("c1")
    story.certify("c2")
    lowered = story.set_quota(1)
    assert ids(story) == [f"quota-met.i{first}.umm-al-qura-1447-usage", f"quota-met.i{lowered}.gregorian-2026-usage"]
    assert story.outbox[0].data["owner"] == "yesser", "of several offices the first registered"
    assert "usage for 1447 AH" in story.outbox[0].data["brief"]["en"]
    story.revoke("c2")
    story.certify("c3")
    story.set_quota(1)
    assert len(ids(story)) == 2


def test_certificates_that_do_not_fire_are_one_row_for_each_reason_and_a_target_of_zero_is_never_reached() -> None:
    story, zero = Story(), Story()
    story.set_quota(3)
    certified = [story.certify(f"c{number}") for number in range(5)]
    again = story.certify("c1")
    assert [row["fired"] for row in story.rows(EVALUATION)] == [False, True]
    assert [(row["part"], *list(row.values())[2:]) for row in story.rows(EVALUATION_RUN)] == [
        ("gregorian-2026-usage", "below", certified[0], certified[1], 2, 2, 3),
        ("gregorian-2026-usage", "contradicted", again, again, 1, None, None),
        ("gregorian-2026-usage", "fired-before", certified[3], certified[4], 2, 5, 3),
    ]
    zero.certify("before")
    zero.adopt()
    zero.register("A")
    zero.launch("A")
    zero.set_quota(0)
    index = zero.certify("c1")
    assert [name.split(".")[0] for name in ids(zero)] == ["service-launched"]
    (run,) = zero.rows(EVALUATION_RUN)
    assert list(run.values())[2:] == ["no-target", index, index, 1, 2, 0], "none without a quota"


def test_by_dates_of_occurrence_a_launch_before_any_office_fires_no_rule_of_the_office_and_says_why() -> None:
    story = Story()
    story.register("S")
    index = story.launch("S")
    rules = tuple(replace(rule, owner="office") for rule in RULES.rules)
    store, consumer = MemoryStore(), campaigns_consumer(lambda: RuleSet(rules))
    without = [entry for entry in story.entries if entry.type != "registry.agency-registered"]
    assert store.apply(consumer, without) == []
    (found,) = store.rows(EVALUATION)
    assert (found.rule, found.cause_index, found.fired) == ("service-launched", index, False)
    assert found.reason["en"] == f"No programme office is known at entry i{index}."
