"""What becomes of a campaign: acknowledged, aired, completed, paused and resumed."""

from __future__ import annotations

from consumers.programme.campaigns.rows import AIRING, COVERAGE, ROUTE
from infra.postgres.outbox import event_bytes
from tests.world.entries import TEXT
from tests.world.story import launched


def test_what_took_effect_goes_to_the_owners_teams_in_log_order_and_an_anomaly_does_not() -> None:
    story, campaign = launched(in_log=False)
    early = story.acknowledge(campaign)
    assert story.in_log() == []
    story.come_back()
    story.tell("yesser", "service.reassigned", service_id="S", to="justice", on="2026-11-01", reason=TEXT)
    former = story.acknowledge(campaign, agency="justice")
    acknowledged = story.acknowledge(campaign)
    again, foreign = story.acknowledge(campaign), story.acknowledge(campaign, agency="justice")
    aired, unknown = story.air(campaign, "A", "tv"), story.air("service-launched.i999", "A", "tv")
    story.change("suspended", "S", agency="justice")
    paused = len(story.entries)
    story.come_back()
    completed = story.complete(campaign)
    twice, late = story.complete(campaign), story.air(campaign, "A", "radio")
    rows = [(row["index"], row["type"]) for row in story.rows(ROUTE)]
    assert rows == [
        (early + 1, "campaign.triggered"),
        (acknowledged, "awareness.campaign-acknowledged"),
        (aired, "awareness.campaign-aired"),
        (paused, "campaign.paused"),
        (completed, "awareness.campaign-completed"),
    ]
    assert {(row["owner"], row["service_id"]) for row in story.rows(ROUTE)} == {("health", "S")}
    assert story.anomalies() == [
        (early, "unknown-campaign"),  # it exists from its entry on
        (former, "not-owner"),  # the owner is the one in the trigger
        (again, "already-acknowledged"),
        (foreign, "not-owner"),  # which comes before already
        (unknown, "unknown-campaign"),
        (twice, "already-completed"),
        (late, "already-aired"),
    ]
    assert (story.campaign(campaign).acknowledged_by, story.campaign(campaign).tv) == ("desk", 1)
    assert [row.tv for row in story.store.rows(COVERAGE)] == [1]


def test_a_correction_replaces_the_reach_of_an_airing_in_log_order_and_counts_as_no_airing() -> None:
    story, campaign = launched()
    early = story.correct(campaign, "A", 5)
    aired = story.air(campaign, "A", "tv", reach=350_000)
    story.air(campaign, "B", "radio", reach=7)
    story.correct(campaign, "A", 30_000)
    foreign = story.correct(campaign, "A", 1, agency="justice")
    story.complete(campaign)
    last = story.correct(campaign, "A", 35_000)
    assert {row["airing_id"]: (row["index"], row["reach"], row["corrected_index"]) for row in story.rows(AIRING)} == {
        "A": (aired, 35_000, last),
        "B": (aired + 1, 7, None),
    }
    assert story.anomalies() == [(early, "unknown-airing"), (foreign, "not-owner")]
    assert (story.campaign(campaign).tv, story.campaign(campaign).state) == (1, "completed")
    assert [row["type"] for row in story.rows(ROUTE)].count("awareness.campaign-airing-corrected") == 2


def test_a_suspension_pauses_and_a_resumption_moves_the_due_date_by_the_working_days_lost() -> None:
    story, campaign = launched()
    assert story.campaign(campaign).due_on == "2026-11-15"
    story.at = "2026-11-03T08:00:00.000000Z"
    suspended = story.change("suspended", "S")
    assert story.paused(campaign)
    story.at = "2026-11-09T08:00:00.000000Z"
    resumed = story.change("resumed", "S")
    assert not story.paused(campaign)

    paused_event, resumed_event = story.outbox
    assert (paused_event.id, paused_event.type) == (f"paused.{campaign}.i{suspended}", "campaign.paused")
    assert paused_event.data["due_on"] == "2026-11-15"
    assert "Maintenance" in paused_event.data["reason"]["en"]
    assert (resumed_event.id, resumed_event.type) == (f"resumed.{campaign}.i{resumed}", "campaign.resumed")
    # Lost: Tue 3, Wed 4, Thu 5, Sun 8 November. Sunday 15 and four working days is Thursday 19.
    assert resumed_event.data["due_on"] == story.campaign(campaign).due_on == "2026-11-19"
    assert resumed_event.time == "2026-11-09T08:00:00.000000Z"

    before = story.campaign(campaign)
    story.come_back()
    after = story.campaign(campaign)
    assert (after.due_on, after.days_added) == (before.due_on, before.days_added)
    assert not story.paused(campaign)
    assert after.count == before.count + 2, "what comes back changes no state"
    again, ended = story.change("suspended", "S"), story.change("resumed", "S")
    assert [event.id for event in story.outbox] == [f"paused.{campaign}.i{again}", f"resumed.{campaign}.i{ended}"]


def test_a_campaign_that_was_never_triggered_says_nothing_of_its_pauses() -> None:
    """As after a rebuild by newer rules, whose decisions are dropped."""
    story, _ = launched(in_log=False)
    story.outbox.clear()
    for what in ("suspended", "resumed", "suspended"):
        story.change(what, "S")
    assert (story.outbox, story.in_log()) == ([], [])


def test_what_waited_for_the_trigger_says_what_it_would_have_said_at_once() -> None:
    (story, campaign), (at_once, _) = launched(in_log=False), launched()
    trigger = event_bytes(story.outbox.pop(0))
    for one in (story, at_once):
        one.at = "2026-11-03T08:00:00.000000Z"
        one.change("suspended", "S")
        one.at = "2026-11-09T08:00:00.000000Z"
        one.change("resumed", "S")
    story.append(trigger)
    said = [(event.type, event.time, event.data["due_on"]) for event in story.outbox]
    assert said == [(event.type, event.time, event.data["due_on"]) for event in at_once.outbox]
    assert said[-1] == ("campaign.resumed", "2026-11-09T08:00:00.000000Z", "2026-11-19")
    assert story.campaign(campaign).due_on == "2026-11-19", "the days lost before are kept"


def test_a_campaign_that_is_completed_or_whose_service_is_not_suspended_is_not_paused_and_hears_no_more() -> None:
    (completed, campaign), (running, _) = launched(), launched()
    completed.complete(campaign)
    completed.at = "2026-11-03T08:00:00.000000Z"
    completed.change("suspended", "S")
    completed.at = "2026-11-09T08:00:00.000000Z"
    completed.change("resumed", "S")
    running.change("suspended", "S", agency="justice")
    running.change("retired", "S")
    running.change("resumed", "S")  # an anomaly: a retired service is no longer suspended
    for story in (completed, running):
        assert not story.paused(campaign)
        assert story.outbox == []
        assert story.campaign(campaign).due_on == "2026-11-15"


def test_a_trigger_that_todays_rules_would_not_fire_counts_as_the_log_says_it() -> None:
    story, _ = launched(in_log=False)
    story.outbox.clear()
    rule = {"campaign_id": "older-rule.i3", "rule": "older-rule", "rules_version": 1, "cause_index": 3}
    said = {"kind": "specific", "owner": "interior", "service_id": "S", "channels": ["radio"], "due_on": "2026-12-01"}
    story.tell("platform", "campaign.triggered", **rule, **said, brief=TEXT, reason=TEXT)
    story.change("suspended", "S")
    story.air("older-rule.i3", "A", "radio", agency="interior")
    assert story.paused("older-rule.i3")
    assert story.anomalies() == []
    assert story.store.rows(COVERAGE)[0].radio == 1
