"""Facts that come before `registered` wait for it, and are judged there in the order of the log."""

from __future__ import annotations

from consumers.anomaly import ANOMALY
from consumers.projections.history import HISTORY
from consumers.projections.services import SERVICE
from consumers.projections.waiting import WAITING_COUNT, WAITING_FACT
from tests.unit.consumers.projections.story import TEXT, Story


def registered(story: Story, agency: str = "health") -> int:
    return story.tell(agency, "service.registered", service_id="S", plan_id="P", group=1, name=TEXT)


def launched(story: Story, agency: str = "health") -> int:
    return story.tell(agency, "service.launched", service_id="S", on="2006-01-01", channels=["web"])


def test_a_fact_that_waits_is_no_anomaly() -> None:
    story = Story()
    launched(story)
    launched(story)
    store = story.folded(batch=1)
    assert story.anomalies() == []
    assert [(row.index, row.ordinal) for row in store.rows(WAITING_FACT)] == [(0, 0), (1, 1)]


def test_what_waited_is_judged_at_registered_under_its_own_index() -> None:
    story = Story()
    first = launched(story)
    second = launched(story)
    foreign = launched(story, "justice")
    at = registered(story)
    assert story.anomalies() == [(second, at, "already-launched"), (foreign, at, "not-owner")]
    (service,) = story.folded(batch=1).rows(SERVICE)
    assert (service.launched_index, service.first_index, service.last_index) == (first, at, at)


def test_a_reassignment_waits_too_and_counts_from_its_own_place() -> None:
    story = Story()
    launched(story, "justice")
    story.tell("yesser", "service.reassigned", service_id="S", to="justice", on="2006-01-01", reason=TEXT)
    launched(story, "justice")
    at = registered(story)
    assert story.anomalies() == [(0, at, "not-owner")]
    (service,) = story.folded().rows(SERVICE)
    assert (service.owner, service.launched_index) == ("justice", 2)


def test_nothing_waits_any_longer_after_registered() -> None:
    story = Story()
    launched(story)
    registered(story)
    for batch in (1, None):
        store = story.folded(batch)
        assert store.rows(WAITING_FACT) == []
        assert store.rows(WAITING_COUNT) == []


def test_history_says_when_a_waiting_fact_took_effect() -> None:
    story = Story()
    launched(story)
    registered(story)
    steps = sorted((step.found_index, step.index, step.type) for step in story.folded(batch=1).rows(HISTORY))
    assert steps == [(1, 0, "service.launched"), (1, 1, "service.registered")]


def test_an_anomaly_shows_both_sides() -> None:
    story = Story()
    registered(story)
    launched(story, "justice")
    (found,) = story.folded().rows(ANOMALY)
    assert found.type == "sa.gov.yesser.service.launched.v1"
    assert (found.subject, found.agency) == ("service/S", "justice")
    assert found.claimed == story.entries[1].data
    assert found.known == {"owner": "health"}


def test_projects_and_services_of_one_name_do_not_wait_for_each_other() -> None:
    story = Story()
    story.tell("health", "project.phase-started", project_id="S", phase=1, on="2006-01-01")
    registered(story)
    assert [row.subject for row in story.folded().rows(WAITING_FACT)] == ["project/S"]
