"""Facts before `registered` are pending, and are applied at it in log order."""

from __future__ import annotations

from consumers.programme.projections.handlers.history import HISTORY
from consumers.programme.projections.handlers.pending_events import (
    FACTS_MAX,
    FACTS_OF_AGENCY_MAX,
    PENDING_AGENCY,
    PENDING_COUNT,
    PENDING_FACT,
)
from consumers.programme.projections.handlers.services import SERVICE
from consumers.replay.fold.anomaly import ANOMALY
from tests.world.plan import Story


def test_a_fact_that_waits_is_no_anomaly_and_is_judged_at_registered_under_its_own_index() -> None:
    story = Story()
    first, second = story.say("launched"), story.say("launched")
    assert story.anomalies() == []
    waiting = story.folded(batch=1).rows(PENDING_FACT)
    assert [(row.index, row.ordinal) for row in waiting] == [(first, 0), (second, 1)]

    foreign = story.say("justice:launched")
    at = story.say("registered")
    assert story.anomalies() == [(second, at, "already-launched"), (foreign, at, "not-owner")]
    for batch in (1, None):
        store = story.folded(batch)
        (service,) = store.rows(SERVICE)
        assert (service.launched_index, service.first_index, service.last_index) == (first, at, at)
        assert [store.rows(table) for table in (PENDING_FACT, PENDING_COUNT, PENDING_AGENCY)] == [[], [], []]
        steps = sorted((step.found_index, step.index, step.type) for step in store.rows(HISTORY))
        assert steps == [(at, first, "service.launched"), (at, at, "service.registered")]


def test_a_reassignment_waits_too_and_counts_from_its_own_place() -> None:
    story = Story()
    at = story.say("justice:launched yesser:reassigned justice:launched registered")
    assert story.anomalies() == [(0, at, "not-owner")]
    (service,) = story.folded().rows(SERVICE)
    assert (service.owner, service.launched_index) == ("justice", 2)


def test_projects_and_services_of_one_name_do_not_wait_for_each_other_and_an_anomaly_shows_both_sides() -> None:
    story = Story()
    story.tell("health", "project.phase-started", project_id="S", phase=1, on="2006-01-01")
    story.say("registered")
    story.say("justice:launched")
    store = story.folded()
    assert [row.subject for row in store.rows(PENDING_FACT)] == ["project/S"]
    (found,) = store.rows(ANOMALY)
    assert found.type == "sa.gov.yesser.service.launched.v1"
    assert (found.subject, found.agency) == ("service/S", "justice")
    assert found.claimed == story.entries[2].data
    assert found.known == {"owner": "health"}


def test_one_fact_of_an_agency_more_than_may_wait_contradicts_at_its_own_entry_and_never_takes_effect() -> None:
    story = Story()
    for _ in range(FACTS_OF_AGENCY_MAX):
        story.say("retired")
    story.say("launched retired justice:retired")
    story.tell("health", "project.phase-started", project_id="S", phase=1, on="2006-01-01")
    exceeded = [(index, index, "exceeds-waiting") for index in (1000, 1001)]
    assert story.anomalies(700) == exceeded, "others still wait, and another subject has its own bound"
    store = story.folded()
    _, count = store.rows(PENDING_COUNT)
    assert (count.count, count.last_index) == (1001, 1002)
    first, _ = store.rows(ANOMALY)
    assert first.known == {"waiting": 1000, "waiting_of_agency": 1000}

    at = story.say("registered")
    late = story.say("launched")
    found = story.anomalies(700)
    assert found[:999] == [(index, at, "already-retired") for index in range(1, 1000)]
    assert found[999:] == [*exceeded, (1002, at, "not-owner"), (late, late, "not-allowed-now")]


def test_one_fact_in_all_more_than_may_wait_contradicts_also_of_an_agency_of_which_none_waits() -> None:
    story = Story()
    for index in range(FACTS_MAX + 1):
        story.say(f"agency{index % 11}:retired")
    story.say("yesser:reassigned")
    assert story.anomalies(700) == [(index, index, "exceeds-waiting") for index in (10_000, 10_001)]
