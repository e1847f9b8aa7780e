"""The event that says why a record was refused."""

from __future__ import annotations

from typing import Any

import orjson

from events.faults.problems import CONFLICT, Fault
from events.validation.refusal import may_leave_out, problem_of
from events.validation.verdicts import Refused
from events.values.bounds import FAULTS_MAX
from events.wire.envelope import EVENT_BYTES_MAX
from tests.unit.events.judgements import refusal_of, refused
from tests.world.events import PLATFORM, encoded, initiative


def test_a_refusal_says_where_and_why() -> None:
    raw = encoded(initiative(remark="x"))
    document = orjson.loads(refusal_of(raw, refused(raw)))
    assert (document["id"], document["source"], document["time"]) == (
        "agency.health.events:0:o17",
        PLATFORM.source,
        "2026-11-25T10:00:00.000000Z",
    )
    assert document["subject"] == "refusal/agency.health.events/0/o17"
    assert document["data"]["address"] == "agency.health.events/0/17"
    assert document["data"]["claimed_id"] == "e-1"
    detail = "Unknown field; remove it or correct its name."
    assert document["data"]["problem"]["errors"] == [{"code": "unknown-field", "pointer": "/remark", "detail": detail}]
    assert "sha256" not in orjson.loads(refusal_of(None, refused(None)))["data"], "a tombstone has no hash"
    refusal_of(b"{}", Refused(faults=(CONFLICT,), claimed_id="e-1"))


def test_faults_beyond_the_size_of_an_entry_are_counted_instead_of_listed() -> None:
    deep: Any = [2**60] * 90
    for level in range(12):
        deep = {f"{'x' * 60}{level}": deep}
    raw = encoded(initiative(x=deep))
    verdict = refused(raw)
    event = refusal_of(raw, verdict)
    problem = orjson.loads(event)["data"]["problem"]
    assert len(event) < EVENT_BYTES_MAX
    assert len(problem["errors"]) + problem["unlisted"] == len(verdict.faults) + verdict.unlisted == 91
    assert problem["unlisted"] > 0
    assert may_leave_out(problem["errors"])
    one = problem_of([Fault(pointer="/x", code="unknown-field", detail="This field is not known here.")])
    assert "unlisted" not in one
    assert not may_leave_out(one["errors"])
    assert one["title"] == {"ar": "حقل غير معروف", "en": "A field is unknown"}
    full = problem_of([Fault(pointer="/x", code="unknown-field", detail="d")] * FAULTS_MAX, 1)
    assert may_leave_out(full["errors"])
