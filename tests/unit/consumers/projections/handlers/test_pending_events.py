"""Facts before `registered` are pending, and are applied at it in log order."""

from __future__ import annotations

from consumers.fold.anomaly import ANOMALY
from consumers.projections.handlers.history import HISTORY
from consumers.projections.handlers.pending_events import (
    FACTS_MAX,
    FACTS_OF_AGENCY_MAX,
    PENDING_AGENCY,
    PENDING_COUNT,
    PENDING_FACT,
)
from consumers.projections.handlers.services import SERVICE
from tests.world.entries import TEXT
from tests.world.plan import Story


def registered(story: Story, agency: str = "health") -> int:
    return story.tell(agency, "service.registered", service_id="S", plan_id="P", group=1, name=TEXT)


def launched(story: Story, agency: str = "health") -> int:
    return story.tell(agency, "service.launched", service_id="S", on="2006-01-01", channels=["web"])


def retired(story: Story, agency: str = "health") -> int:
    return story.tell(agency, "service.retired", service_id="S", on="2006-01-01", reason=TEXT)


def reassigned(story: Story, to: str) -> int:
    return story.tell("yesser", "service.reassigned", service_id="S", to=to, on="2006-01-01", reason=TEXT)


def test_a_fact_that_waits_is_no_anomaly() -> None:
    story = Story()
    launched(story)
    launched(story)
    store = story.folded(batch=1)
    assert story.anomalies() == []
    assert [(row.index, row.ordinal) for row in store.rows(PENDING_FACT)] == [(0, 0), (1, 1)]


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
    reassigned(story, "justice")
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
        assert store.rows(PENDING_FACT) == []
        assert store.rows(PENDING_COUNT) == []
        assert store.rows(PENDING_AGENCY) == []


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
    assert [row.subject for row in story.folded().rows(PENDING_FACT)] == ["project/S"]


def test_one_fact_of_an_agency_more_than_may_wait_contradicts_at_its_own_entry_and_others_still_wait() -> None:
    story = Story()
    for _ in range(FACTS_OF_AGENCY_MAX + 2):
        retired(story)
    retired(story, "justice")
    assert story.anomalies(700) == [(index, index, "exceeds-waiting") for index in (1000, 1001)]
    store = story.folded()
    (count,) = store.rows(PENDING_COUNT)
    assert (count.count, count.last_index) == (1001, 1002)
    (first, _) = store.rows(ANOMALY)
    assert first.known == {"waiting": 1000, "waiting_of_agency": 1000}


def test_one_fact_in_all_more_than_may_wait_contradicts_also_of_an_agency_of_which_none_waits() -> None:
    story = Story()
    for index in range(FACTS_MAX + 1):
        retired(story, f"agency-{index % 11}")
    reassigned(story, "justice")
    assert story.anomalies(700) == [(index, index, "exceeds-waiting") for index in (10_000, 10_001)]


def test_what_exceeded_never_takes_effect_and_after_registered_nothing_waits() -> None:
    story = Story()
    for _ in range(FACTS_OF_AGENCY_MAX):
        retired(story, "justice")
    launched(story, "justice")
    registered(story, "justice")
    launched(story, "justice")
    found = story.anomalies(700)
    assert found[0] == (1, 1001, "already-retired")
    assert found[-2:] == [(1000, 1000, "exceeds-waiting"), (1002, 1002, "not-allowed-now")]
    assert len(found) == 999 + 2


def test_another_project_or_service_has_its_own_bound() -> None:
    story = Story()
    for _ in range(FACTS_OF_AGENCY_MAX):
        retired(story)
    story.tell("health", "project.phase-started", project_id="S", phase=1, on="2006-01-01")
    assert story.anomalies(700) == []
