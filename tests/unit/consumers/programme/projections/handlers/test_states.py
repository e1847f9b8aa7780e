"""What comes of facts about a service, a project or a certificate; `test_against_the_oracle` judges which count."""

from __future__ import annotations

from consumers.programme.projections.handlers.history import HISTORY
from consumers.programme.projections.handlers.projects import PROJECT
from consumers.programme.projections.handlers.services import SERVICE, SERVICE_GROUP
from consumers.programme.projections.handlers.training import QUOTA, TRAINING_COUNT, counters_of
from consumers.replay.fold.anomaly import ANOMALY
from tests.every import every
from tests.world.plan import Story, story_of


def test_an_anomaly_says_what_is_known_of_a_project() -> None:
    (found,) = story_of("register start-1 start-1").folded().rows(ANOMALY)
    assert found.known == {"phases": 2, "started": 1, "completed": 0, "cancelled": False}


@every(
    ("words", "registered", "launched", "live", "suspended", "retired"),
    [
        ("registered", 1, 0, 0, 0, 0),
        ("registered launched", 1, 1, 1, 0, 0),
        ("registered launched suspended", 1, 1, 0, 1, 0),
        ("registered launched suspended resumed", 1, 1, 1, 0, 0),
        ("registered launched suspended retired", 1, 1, 0, 0, 1),
        ("registered retired", 1, 0, 0, 0, 1),
        ("launched suspended", 0, 0, 0, 0, 0),
    ],
)
def test_a_group_counts_its_services(
    words: str, registered: int, launched: int, live: int, suspended: int, retired: int
) -> None:
    rows = story_of(words).folded(batch=1).rows(SERVICE_GROUP)
    counts = [(r.registered, r.launched, r.live, r.suspended, r.retired) for r in rows] or [(0, 0, 0, 0, 0)]
    assert counts == [(registered, launched, live, suspended, retired)]


@every(
    ("words", "state", "started", "completed", "cancelled_on"),
    [
        ("register", "registered", 0, 0, None),
        ("register reassign", "registered", 0, 0, None),
        ("register start-1", "started", 1, 0, None),
        ("register complete-1", "started", 1, 1, None),
        ("register complete-1 start-2 reopen-1", "started", 2, 0, None),
        ("register complete-1 start-2 reopen-1 complete-1", "started", 2, 1, None),
        ("register complete-1 complete-2", "completed", 2, 2, None),
        ("register complete-1 complete-2 reopen-2", "started", 2, 1, None),
        ("register start-1 cancel", "cancelled", 1, 0, "2006-01-01"),
    ],
)
def test_a_projects_state_and_phases_of_which_started_includes_completed(
    words: str, state: str, started: int, completed: int, cancelled_on: str | None
) -> None:
    (project,) = story_of(words).folded(batch=1).rows(PROJECT)
    assert (project.state, project.started, project.completed) == (state, started, completed)
    assert (project.cancelled, project.cancelled_on) == (cancelled_on is not None, cancelled_on)


def test_the_directory_and_the_history_have_the_facts_that_took_effect_and_no_others() -> None:
    store = story_of("registered justice:launched launched launched suspended").folded()
    (service,) = store.rows(SERVICE)
    assert (service.owner, service.launched_on, service.channels) == ("health", "2006-01-01", ["web"])
    assert (service.first_index, service.last_index, service.count) == (0, 4, 3)
    assert [(step.index, step.type, step.happened_on) for step in store.rows(HISTORY)] == [
        (0, "service.registered", None),
        (2, "service.launched", "2006-01-01"),
        (4, "service.suspended", "2006-02-01"),
    ]


@every(
    ("words", "certified", "revoked"),
    [("certify", 1, 0), ("certify revoke", 1, 1), ("certify justice:certify revoke certify", 2, 1)],
)
def test_a_certificate_and_its_revocation_count_in_both_calendars(words: str, certified: int, revoked: int) -> None:
    for batch in (1, 2, None):
        rows = story_of(words).folded(batch).rows(TRAINING_COUNT)
        counts = {(row.calendar, row.year): (row.certified, row.revoked) for row in rows}
        assert counts == dict.fromkeys([("gregorian", 2006), ("umm-al-qura", 1427)], (certified, revoked))


@every(("on", "hijri"), [("2006-01-30", 1426), ("2006-01-31", 1427), ("2007-01-19", 1427)])
def test_the_hijri_year_turns_on_the_first_of_muharram(on: str, hijri: int) -> None:
    assert counters_of(on, "usage")[1] == ("umm-al-qura", hijri, "usage")


def test_a_quota_set_again_replaces_the_first() -> None:
    story = Story()
    for seats in (10, 5):
        story.tell("yesser", "training.quota-set", calendar="gregorian", year=2006, track="usage", seats=seats)
    (quota,) = story.folded(batch=1).rows(QUOTA)
    assert (quota.seats, quota.first_index, quota.last_index, quota.count) == (5, 0, 1, 2)
    assert story.rules() == []
