"""Which entry triggers which campaign: events in, outbox out."""

from __future__ import annotations

from dataclasses import replace

from consumers.campaigns.consumer import CONSUMER, campaigns_consumer
from consumers.campaigns.rows import EVALUATION, EVALUATION_RUN
from consumers.campaigns.rules.in_force import release_rules
from consumers.campaigns.rules.rule import RuleSet
from tests.every import every
from tests.world.memory_store import MemoryStore
from tests.world.story import Story


def ids(story: Story) -> list[str]:
    return [event.id for event in story.outbox]


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
    assert "«S»" in brief["ar"]
    assert "“S”" in brief["en"]
    assert f"i{index}" in reason["ar"]


def test_a_launch_that_waited_dates_the_campaign_and_one_that_changes_nothing_says_why() -> None:
    story = Story(at="2026-11-01T08:00:00.000000Z")
    index = story.launch("S")
    assert story.outbox == []
    story.at = "2026-11-04T08:00:00.000000Z"
    story.register("S")
    again, foreign = story.launch("S"), story.launch("S", agency="justice")

    (event,) = story.outbox
    assert event.id == f"triggered.service-launched.i{index}"
    assert event.time == "2026-11-01T08:00:00.000000Z"
    assert event.data["due_on"] == "2026-11-15"
    kept = {row["cause_index"]: row for row in story.rows(EVALUATION)}
    assert kept[again]["fired"] is False
    assert kept[again]["campaign_id"] is None
    assert "already-launched" in kept[again]["reason"]["en"]
    assert "not-owner" in kept[foreign]["reason"]["ar"]
    assert story.anomalies() == [], "the projections report these"


def test_an_initiative_triggers_a_general_campaign_of_who_announced_it_once() -> None:
    story = Story()
    index = story.announce("I", agency="interior")
    story.announce("I", agency="justice")
    (event,) = story.outbox
    assert event.id == f"triggered.initiative-announced.i{index}"
    assert (event.data["kind"], event.data["owner"]) == ("general", "interior")
    assert "service_id" not in event.data
    assert "To reach all" in event.data["brief"]["en"]


def test_a_group_is_completed_by_the_launch_that_reaches_its_target_and_only_once() -> None:
    story = Story()
    story.adopt(one=2)
    for service in ("A", "B", "C"):
        story.register(service)
    story.launch("A")
    assert not any("group-completed" in name for name in ids(story))
    second = story.launch("B")
    story.launch("C")

    assert [name for name in ids(story) if "group-completed" in name] == [f"triggered.group-completed.i{second}.1"]
    assert story.outbox[-2].data["owner"] == "yesser"
    reasons = [row["reason"]["en"] for row in story.rows(EVALUATION) if row["rule"] == "group-completed"]
    assert "1 of 2 at entry" in reasons[3]
    assert "reached" in reasons[4]
    assert "fired" in reasons[5]


def test_a_group_may_be_completed_by_a_registration_an_amendment_or_an_adoption() -> None:
    story = Story()
    story.launch("A")
    story.adopt(one=1, two=1)
    registered = story.register("A")
    story.register("B", group=2)
    story.register("C", group=2, plan="Q")
    story.launch("B")
    story.launch("C")
    story.amend(one=2, two=1)
    adopted = story.adopt("Q", two=1)

    groups = [name for name in ids(story) if "group-completed" in name]
    assert groups[0] == f"triggered.group-completed.i{registered}.1"
    assert groups[-1] == f"triggered.group-completed.i{adopted}.2"
    assert len(groups) == 3


def test_lowering_the_target_completes_a_group_of_the_shown_plan_only() -> None:
    story = Story()
    story.adopt("OLD", one=5)
    story.adopt("P", one=5)
    story.register("A")
    story.register("O", plan="OLD")
    story.launch("A")
    story.launch("O")
    story.amend("OLD", one=1)
    amended = story.amend("P", one=1)

    assert [name for name in ids(story) if "group" in name] == [f"triggered.group-completed.i{amended}.1"]


def test_a_quota_is_met_by_the_certificate_that_fills_it_in_either_calendar() -> None:
    story = Story()
    second_office = {"code": "second", "role": "office", "name": {"ar": "ثانية", "en": "Second"}}
    story.tell("platform", "registry.agency-registered", **second_office)
    story.set_quota(2)
    story.set_quota(1, year=1447, calendar="umm-al-qura")
    first = story.certify("c1")
    second = story.certify("c2")
    story.certify("c3")

    assert ids(story) == [
        f"triggered.quota-met.i{first}.umm-al-qura-1447-usage",
        f"triggered.quota-met.i{second}.gregorian-2026-usage",
    ]
    assert story.outbox[0].data["owner"] == "yesser", "of several offices the first registered"
    assert "usage for 1447 AH" in story.outbox[0].data["brief"]["en"]


def test_within_one_batch_a_met_quota_hides_no_other_that_the_same_certificates_fill() -> None:
    story, at_once = Story(), MemoryStore()
    story.set_quota(1)
    story.set_quota(2, year=1447, calendar="umm-al-qura")
    story.set_quota(4, year=1447, calendar="umm-al-qura", track="leadership")
    story.certify("c1")
    story.certify("l1", track="leadership")
    story.certify("c2")
    story.revoke("l1")
    for number in range(2, 7):
        story.certify(f"l{number}", track="leadership")

    decided = at_once.apply(CONSUMER, story.entries)
    assert [event.id for event in decided] == ids(story)
    assert [name.rsplit(".")[-1] for name in ids(story)] == [
        "gregorian-2026-usage",
        "umm-al-qura-1447-usage",
        "umm-al-qura-1447-leadership",
    ]
    assert at_once.state() == story.store.state()


def test_net_counts_for_a_quota_and_a_quota_set_again_never_fires_twice() -> None:
    story = Story()
    story.set_quota(2)
    story.certify("c1")
    story.revoke("c1")
    story.certify("c2")
    assert ids(story) == []
    lowered = story.set_quota(1)
    assert ids(story) == [f"triggered.quota-met.i{lowered}.gregorian-2026-usage"]
    story.revoke("c2")
    story.certify("c3")
    story.set_quota(1)
    assert len(ids(story)) == 1


def test_certificates_that_do_not_fire_are_one_row_for_each_reason() -> None:
    story = Story()
    story.set_quota(3)
    certified = [story.certify(f"c{number}") for number in range(5)]
    again = story.certify("c1")

    assert [row["fired"] for row in story.rows(EVALUATION)] == [False, True]
    assert story.rows(EVALUATION_RUN) == [
        run("below", certified[0], certified[1], 2, 2, 3),
        run("contradicted", again, again, 1, None, None),
        run("fired-before", certified[3], certified[4], 2, 5, 3),
    ]


def test_a_target_of_zero_is_never_reached_and_has_its_evaluations_too() -> None:
    story = Story()
    story.certify("before")
    story.adopt()
    story.register("A")
    story.launch("A")
    story.set_quota(0)
    index = story.certify("c1")
    assert [name.split(".")[1] for name in ids(story)] == ["service-launched"]
    assert story.rows(EVALUATION_RUN) == [run("no-target", index, index, 1, 2, 0)], "none without a quota"


def test_the_rows_of_evaluations_do_not_depend_on_the_batches() -> None:
    story = Story()
    story.set_quota(4)
    story.set_quota(9, year=1447, calendar="umm-al-qura")
    for number in range(12):
        story.certify(f"c{number}", on="2026-05-01" if number % 3 else "2026-08-01")
        if number in (3, 7):
            story.revoke(f"c{number}")
        if number == 8:
            story.certify("c8")
            story.set_quota(6)
    assert {row["why"] for row in story.rows(EVALUATION_RUN)} == {"below", "fired-before", "contradicted"}
    for size in (2, 3, 7, 1_000):
        other = MemoryStore()
        for start in range(0, len(story.entries), size):
            other.apply(CONSUMER, story.entries[start : start + size])
        assert other.state() == story.store.state(), size


def run(why: str, first: int, last: int, count: int, figure: int | None, target: int | None) -> dict[str, object]:
    return {
        "rule": "quota-met",
        "part": "gregorian-2026-usage",
        "why": why,
        "first_index": first,
        "last_index": last,
        "count": count,
        "figure": figure,
        "target": target,
    }


def test_by_dates_of_occurrence_a_launch_before_any_office_fires_no_rule_of_the_office_and_says_why() -> None:
    story = Story()
    story.register("S")
    index = story.launch("S")
    rules = tuple(replace(rule, owner="office") for rule in release_rules().rules)
    store, consumer = MemoryStore(), campaigns_consumer(lambda: RuleSet(rules))
    without = [entry for entry in story.entries if entry.type != "registry.agency-registered"]
    assert store.apply(consumer, without) == []
    (found,) = store.rows(EVALUATION)
    assert (found.rule, found.cause_index, found.fired) == ("service-launched", index, False)
    assert found.reason["en"] == f"No programme office is known at entry i{index}."


@every(
    ("recorded", "due"),
    [
        ("2026-11-01T08:00:00.000000Z", "2026-11-15"),  # Sunday: ten working days are two weeks
        ("2026-11-01T21:00:00.000000Z", "2026-11-16"),  # already Monday in Riyadh
        ("2026-11-05T08:00:00.000000Z", "2026-11-19"),  # Thursday
        ("2026-11-06T08:00:00.000000Z", "2026-11-19"),  # Friday counts from Sunday on
        ("2026-09-16T08:00:00.000000Z", "2026-10-01"),  # National Day, 23 September, is no working day
        ("2026-02-15T08:00:00.000000Z", "2026-03-02"),  # Founding Day, 22 February
        ("2026-03-15T08:00:00.000000Z", "2026-03-30"),  # 1-3 Shawwal 1447 = 20-22 March 2026; the 22nd is a Sunday
        ("2026-05-20T08:00:00.000000Z", "2026-06-08"),  # 9-13 Dhu al-Hijja 1447 = 26-30 May 2026
    ],
)
def test_a_campaign_is_due_in_ten_working_days_of_the_kingdom(recorded: str, due: str) -> None:
    story = Story(at=recorded)
    story.announce("I")
    assert story.outbox[0].data["due_on"] == due
