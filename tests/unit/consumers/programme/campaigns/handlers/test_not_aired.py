"""The moment that depends on the clock: a launched service without an airing on a channel."""

from __future__ import annotations

from datetime import datetime

from consumers.programme.campaigns.handlers.not_aired import not_aired
from consumers.programme.campaigns.handlers.occurrences import Owners
from consumers.programme.campaigns.handlers.rules import Proposal, trigger
from consumers.programme.campaigns.rows import COVERAGE
from consumers.programme.campaigns.rules.rule_file import read_rule
from consumers.programme.projections.handlers.services import SERVICE
from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency
from events.wire.codec import STRUCTURED_HEADERS
from infra.postgres.outbox import event_bytes
from tests.paths import ROOT
from tests.world.story import Story, launched

RULE = read_rule(ROOT / "docs" / "examples" / "campaign-rules" / "not-aired.yaml")
OWNERS = Owners("yesser", {"health": {"ar": "الصحة", "en": "Health"}})
# Launched on Sunday 2026-11-01: fifteen working days end on Sunday 22 November, in Riyadh three hours before UTC.
DUE = "2026-11-22T21:00:00+00:00"


def proposal(story: Story, now: str, channel: str = "radio") -> Proposal | None:
    (service,) = story.store.rows(SERVICE)
    (coverage,) = story.store.rows(COVERAGE)
    at = datetime.fromisoformat(now)
    return not_aired(RULE, channel, service, coverage, coverage.campaign_ids, OWNERS, at)


def test_it_comes_due_at_midnight_after_the_working_days_unless_there_is_an_airing_on_its_channel() -> None:
    story, campaign = launched()
    assert proposal(story, "2026-11-22T20:59:59+00:00") is None
    found = proposal(story, DUE)
    assert found is not None
    assert found.campaign_id == "not-aired.i3.radio"
    assert found.due_on == "2026-11-30"
    assert trigger(found, 1).data["urgency"] == "high"
    assert found.channels == ("radio",)
    assert "إذاعة" in found.brief["ar"]
    assert "no web address" in found.brief["en"]
    assert "15 working days" in found.reason["en"]
    assert "2026-11-01 (1448-05-21 AH)" in found.reason["en"]
    assert proposal(story, "2027-03-01T00:00:00+03:00") == found, "the same whenever it is asked"
    verdict = validate(event_bytes(trigger(found, 1)), STRUCTURED_HEADERS, Agency("platform", "platform"))
    assert isinstance(verdict, Accepted)
    story.air(campaign, "A", "radio")
    assert proposal(story, DUE) is None
    assert proposal(story, DUE, "tv") is not None


def test_the_fold_adopts_it_from_the_log_and_it_is_not_proposed_again() -> None:
    story, _ = launched()
    found = proposal(story, DUE)
    assert found is not None
    story.append(event_bytes(trigger(found, 7)))
    row = story.campaign(found.campaign_id)
    assert (row.owner, row.service_id, row.rules_version, row.due_on) == ("health", "S", 7, "2026-11-30")
    assert proposal(story, DUE) is None
    story.change("suspended", "S")
    assert [event.id.split(".")[1] for event in story.outbox] == ["service-launched", "not-aired"]
    story.acknowledge(found.campaign_id)
    story.air(found.campaign_id, "A", "radio")
    assert story.anomalies() == []


def test_a_suspension_moves_it_by_the_working_days_lost_and_a_retired_service_has_none() -> None:
    story, _ = launched()
    story.at = "2026-11-03T08:00:00.000000Z"
    story.change("suspended", "S")
    assert proposal(story, "2027-01-01T00:00:00+00:00") is None
    story.at = "2026-11-09T08:00:00.000000Z"
    story.change("resumed", "S")
    # Lost: 3, 4, 5 and 8 November.
    assert proposal(story, "2026-11-26T20:59:59+00:00") is None
    assert proposal(story, "2026-11-26T21:00:00+00:00") is not None
    story.change("retired", "S")
    assert proposal(story, "2027-01-01T00:00:00+00:00") is None


def test_eid_is_no_working_day_and_a_service_that_is_not_launched_has_none() -> None:
    story, _ = launched("2026-05-20T08:00:00.000000Z")
    assert proposal(story, "2026-06-15T20:59:00+00:00") is None
    assert proposal(story, "2026-06-15T21:00:00+00:00") is not None
    story = Story()
    story.register("S")
    (service,) = story.store.rows(SERVICE)
    story.launch("T")
    story.register("T")
    (coverage,) = story.store.rows(COVERAGE)
    assert not_aired(RULE, "tv", service, coverage, (), OWNERS, datetime.fromisoformat(DUE)) is None
