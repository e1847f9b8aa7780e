"""The event that says why a record was refused."""

from __future__ import annotations

from typing import Any

import orjson

from events.faults.problems import CONFLICT, Fault
from events.validation.refusal import may_leave_out, problem_of, refusal_event
from events.validation.validate import validate
from events.validation.verdicts import Accepted, Refused
from events.values.bounds import FAULTS_MAX
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.envelope import EVENT_BYTES_MAX
from tests.unit.events.samples import HEALTH, PLATFORM, encoded, initiative

TIME = "2026-11-25T10:00:00.000000Z"


def refusal_of(value: bytes | None, refused: Refused) -> tuple[bytes, str]:
    event, subject, errors = refusal_event(
        topic="agency.health.events", partition=0, offset=17, value=value, refused=refused, time=TIME
    )
    assert errors == orjson.loads(event)["data"]["problem"]["errors"]
    return event, subject


def test_a_refusal_says_where_and_why_and_is_itself_well_formed() -> None:
    raw = encoded(initiative(remark="x"))
    verdict = validate(raw, STRUCTURED_HEADERS, HEALTH)
    assert isinstance(verdict, Refused)
    event, subject = refusal_of(raw, verdict)
    parsed = orjson.loads(event)
    assert subject == parsed["subject"] == "refusal/agency.health.events/0/o17"
    assert (parsed["id"], parsed["source"], parsed["time"]) == (
        "agency.health.events:0:o17",
        "urn:yesser:agency:platform",
        TIME,
    )
    assert parsed["data"]["address"] == "agency.health.events/0/17"
    assert parsed["data"]["claimed_id"] == "e-1"
    assert parsed["data"]["problem"]["errors"] == [
        {
            "code": "unknown-field",
            "pointer": "/remark",
            "detail": "Unknown field; remove it or correct its name.",
        }
    ]
    assert isinstance(validate(event, STRUCTURED_HEADERS, PLATFORM), Accepted)


def test_a_tombstone_has_no_hash() -> None:
    verdict = validate(None, STRUCTURED_HEADERS, HEALTH)
    assert isinstance(verdict, Refused)
    event, _ = refusal_of(None, verdict)
    assert "sha256" not in orjson.loads(event)["data"]
    assert isinstance(validate(event, STRUCTURED_HEADERS, PLATFORM), Accepted)


def test_a_conflict_is_a_refusal_like_any_other() -> None:
    event, _ = refusal_of(b"{}", Refused(faults=(CONFLICT,), claimed_id="e-1"))
    assert isinstance(validate(event, STRUCTURED_HEADERS, PLATFORM), Accepted)


def test_faults_beyond_the_size_of_an_entry_are_counted_instead_of_listed() -> None:
    deep: Any = [2**60] * 90
    for level in range(12):
        deep = {f"{'x' * 60}{level}": deep}
    raw = encoded(initiative(x=deep))
    verdict = validate(raw, STRUCTURED_HEADERS, HEALTH)
    assert isinstance(verdict, Refused)
    event, _ = refusal_of(raw, verdict)
    problem = orjson.loads(event)["data"]["problem"]
    assert len(event) < EVENT_BYTES_MAX
    assert len(problem["errors"]) + problem["unlisted"] == len(verdict.faults) + verdict.unlisted == 91
    assert problem["unlisted"] > 0
    assert may_leave_out(problem["errors"])
    assert isinstance(validate(event, STRUCTURED_HEADERS, PLATFORM), Accepted)


def test_even_one_endless_fault_leaves_room() -> None:
    problem = problem_of([Fault(pointer="/x", code="unknown-field", detail="This field is not known here.")])
    assert "unlisted" not in problem
    assert not may_leave_out(problem["errors"])
    full = problem_of([Fault(pointer="/x", code="unknown-field", detail="d")] * FAULTS_MAX, 1)
    assert may_leave_out(full["errors"])
    assert problem["title"] == {"ar": "حقل غير معروف", "en": "A field is unknown"}
