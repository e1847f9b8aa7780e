"""Training: certificates per certifying agency, counted in both calendars; quotas in log order."""

from __future__ import annotations

from typing import Any

from consumers.projections.handlers.training import (
    QUOTA,
    TRAINING_COUNT,
    apply,
    counters_of,
    dependent_keys,
    required_keys,
)
from infra.postgres.unit_of_work import UnitOfWork
from tests.every import every
from tests.world.entries import TEXT
from tests.world.plan import Story

TRAINEES = {"": "trn_aaaaaaaaaaaaaaaa", "other": "trn_bbbbbbbbbbbbbbbb"}


def story_of(words: str) -> Story:
    """`agency:verb-trainee` words about a certificate; the agency is `health` unless it is given."""
    story = Story()
    for word in words.split():
        agency, _, fact = word.rpartition(":")
        verb, _, trainee = fact.partition("-")
        data: dict[str, Any] = {"certificate_id": "C1", "trainee": TRAINEES[trainee]}
        if verb == "certify":
            data |= {"track": "usage", "on": "2006-06-01", "employer": "nobody"}
        else:
            data |= {"on": "2007-01-01", "reason": TEXT}
        story.tell(agency or "health", {"certify": "training.certified", "revoke": "training.revoked"}[verb], **data)
    return story


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


@every(
    ("words", "anomalies"),
    [
        ("certify justice:certify revoke", []),
        ("certify justice:certify revoke certify", [(3, 3, "already-certified")]),
        ("certify justice:revoke", [(1, 1, "unknown-certificate")]),
        ("certify revoke-other", [(1, 1, "not-allowed-now")]),
        ("certify revoke revoke-other", [(2, 2, "already-revoked")]),
    ],
)
def test_an_agency_revokes_its_own_certificate_of_a_trainee_once(
    words: str, anomalies: list[tuple[int, int, str]]
) -> None:
    assert story_of(words).anomalies() == anomalies


def test_a_quota_set_again_replaces_the_first() -> None:
    story = Story()
    for seats in (10, 5):
        story.tell("yesser", "training.quota-set", calendar="gregorian", year=2006, track="usage", seats=seats)
    (quota,) = story.folded(batch=1).rows(QUOTA)
    assert (quota.seats, quota.first_index, quota.last_index, quota.count) == (5, 0, 1, 2)
    assert story.rules() == []


def test_taken_one_by_one_certificates_say_which_counts_moved() -> None:
    ws, (entry,) = UnitOfWork(), story_of("certify").entries
    ws.missing(required_keys(entry))
    ws.missing(dependent_keys(ws, entry))
    (outcome,) = apply(ws, entry)
    assert getattr(outcome, "details", None) == {"counters": counters_of("2006-06-01", "usage")}
