"""Training: certificates per certifying agency, counted in both calendars; quotas in log order."""

from __future__ import annotations

import pytest

from consumers.projections.handlers.training import (
    CERTIFICATE,
    QUOTA,
    TRAINING_COUNT,
    apply,
    counters_of,
    dependent_keys,
    required_keys,
)
from infra.postgres.unit_of_work import UnitOfWork
from tests.world.plan import TEXT, Story

TRAINEE, OTHER = "trn_aaaaaaaaaaaaaaaa", "trn_bbbbbbbbbbbbbbbb"


def certified(story: Story, agency: str = "health", certificate: str = "C1", on: str = "2006-06-01") -> int:
    data = {"certificate_id": certificate, "trainee": TRAINEE, "track": "usage", "on": on, "employer": "nobody"}
    return story.tell(agency, "training.certified", **data)


def revoked(story: Story, agency: str = "health", certificate: str = "C1", trainee: str = TRAINEE) -> int:
    data = {"certificate_id": certificate, "trainee": trainee, "on": "2007-01-01", "reason": TEXT}
    return story.tell(agency, "training.revoked", **data)


def counts(story: Story) -> dict[tuple[str, int], tuple[int, int]]:
    assert story.anomalies() == []
    return {(row.calendar, row.year): (row.certified, row.revoked) for row in story.folded().rows(TRAINING_COUNT)}


def test_a_certificate_counts_in_both_calendars() -> None:
    story = Story()
    certified(story, on="2006-06-01")
    assert counts(story) == {("gregorian", 2006): (1, 0), ("umm-al-qura", 1427): (1, 0)}


@pytest.mark.parametrize(("on", "hijri"), [("2006-01-30", 1426), ("2006-01-31", 1427), ("2007-01-19", 1427)])
def test_the_hijri_year_turns_on_the_first_of_muharram(on: str, hijri: int) -> None:
    assert counters_of(on, "usage")[1] == ("umm-al-qura", hijri, "usage")


def test_a_revocation_counts_where_the_certificate_does() -> None:
    story = Story()
    certified(story)
    revoked(story)
    assert counts(story) == {("gregorian", 2006): (1, 1), ("umm-al-qura", 1427): (1, 1)}


def test_an_id_is_used_once_per_agency_also_after_revocation() -> None:
    story = Story()
    certified(story)
    certified(story, agency="justice")
    revoked(story)
    certified(story)
    assert story.anomalies() == [(3, 3, "already-certified")]
    assert len(story.folded().rows(CERTIFICATE)) == 2


def test_another_agency_cannot_revoke() -> None:
    story = Story()
    certified(story)
    revoked(story, agency="justice")
    assert story.rules() == ["unknown-certificate"]


def test_a_revocation_names_the_same_trainee() -> None:
    story = Story()
    certified(story)
    revoked(story, trainee=OTHER)
    assert story.rules() == ["not-allowed-now"]


def test_a_certificate_is_revoked_once() -> None:
    story = Story()
    certified(story)
    revoked(story)
    revoked(story, trainee=OTHER)
    assert story.rules() == ["already-revoked"]


def test_a_quota_set_again_replaces_the_first() -> None:
    story = Story()
    for seats in (10, 5):
        story.tell("yesser", "training.quota-set", calendar="gregorian", year=2006, track="usage", seats=seats)
    (quota,) = story.folded(batch=1).rows(QUOTA)
    assert (quota.seats, quota.first_index, quota.last_index, quota.count) == (5, 0, 1, 2)
    assert story.rules() == []


def test_taken_one_by_one_certificates_say_which_counts_moved() -> None:
    story = Story()
    certified(story)
    ws, (entry,) = UnitOfWork(), story.entries
    ws.missing(required_keys(entry))
    ws.missing(dependent_keys(ws, entry))
    (outcome,) = apply(ws, entry)
    assert getattr(outcome, "details", None) == {"counters": counters_of("2006-06-01", "usage")}
