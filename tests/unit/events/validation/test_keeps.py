"""What may be kept of a refused record: never a personal value, and nothing that is not well-formed."""

from __future__ import annotations

from typing import Any

import pytest

from events.codec import STRUCTURED_HEADERS
from events.refusal import refusal_event
from events.validation.verdicts import Refused
from tests.unit.events.samples import HEALTH, changed, encoded, initiative, verdict_on

NATIONAL_ID = "1064971268"


def refused(raw: bytes | None, headers: Any = STRUCTURED_HEADERS) -> Refused:
    verdict = verdict_on(raw, headers, HEALTH)
    assert isinstance(verdict, Refused)
    return verdict


def test_well_formed_claims_are_kept() -> None:
    verdict = refused(encoded(initiative(remark="x")))
    assert (verdict.claimed_source, verdict.claimed_id, verdict.claimed_type, verdict.keep_raw) == (
        "urn:yesser:agency:health",
        "e-1",
        "sa.gov.yesser.awareness.initiative-announced.v1",
        True,
    )


@pytest.mark.parametrize(
    ("pointer", "value", "name"),
    [
        ("/source", "health", "claimed_source"),
        ("/source", "urn:yesser:agency:health\n", "claimed_source"),
        ("/id", "a b", "claimed_id"),
        ("/id", 5, "claimed_id"),
        ("/id", "1064971269", "claimed_id"),
        ("/type", "Something Else", "claimed_type"),
        ("/type", "a" * 129, "claimed_type"),
        ("/type", ..., "claimed_type"),
    ],
)
def test_a_claim_that_is_not_well_formed_is_not_kept(pointer: str, value: Any, name: str) -> None:
    assert getattr(refused(encoded(changed(initiative(), pointer, value))), name) is None


@pytest.mark.parametrize("pointer", ["/data/name/ar", "/id", "/subject", "/x"])
def test_of_a_personal_record_nothing_is_kept(pointer: str) -> None:
    verdict = refused(encoded(changed(initiative(sequence="0" * 19 + "7"), pointer, NATIONAL_ID)))
    assert verdict.holds_personal_data
    assert (verdict.claimed_source, verdict.claimed_id, verdict.claimed_type, verdict.keep_raw) == (
        None,
        None,
        None,
        False,
    )
    assert verdict.sequence == 7


def test_a_personal_header_keeps_the_record_from_being_kept() -> None:
    headers = [*STRUCTURED_HEADERS, ("x-user", NATIONAL_ID.encode())]
    assert not refused(encoded(initiative(remark="x")), headers).keep_raw
    assert refused(encoded(initiative(remark="x"))).keep_raw


@pytest.mark.parametrize(
    ("changes", "sequence"),
    [
        ({"sequence": "0" * 19 + "3"}, 3),
        ({"sequence": "0" * 20}, None),
        ({"sequence": "3"}, None),
        ({"sequence": "0" * 19 + "3", "source": "urn:yesser:agency:interior"}, None),
    ],
)
def test_a_sequence_is_seen_whatever_the_verdict_if_it_is_the_agencys_own(changes: Any, sequence: int | None) -> None:
    assert refused(encoded(initiative(remark="x", **changes))).sequence == sequence


def test_no_fault_ever_shows_the_value() -> None:
    event = initiative(id=NATIONAL_ID, **{NATIONAL_ID: NATIONAL_ID})
    event["data"][NATIONAL_ID] = {"a": NATIONAL_ID}
    assert NATIONAL_ID not in repr(refused(encoded(event)))


def test_the_refusal_event_of_a_personal_record_has_no_hash_and_no_claims() -> None:
    raw = encoded(initiative(id=f"x.{NATIONAL_ID}"))
    event, _ = refusal_event(
        topic="agency.health.events",
        partition=0,
        offset=7,
        value=raw,
        refused=refused(raw),
        time="2026-11-25T10:00:00.000000Z",
    )
    assert b"sha256" not in event
    assert b"claimed" not in event
    assert NATIONAL_ID.encode() not in event
