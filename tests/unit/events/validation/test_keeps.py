"""What may be kept of a refused record: never a personal value, and nothing that is not well-formed."""

from __future__ import annotations

from typing import Any

import pytest

from events.validation.refusal import refusal_event
from events.validation.verdicts import Refused
from events.values.bounds import FAULTS_MAX
from events.wire.codec import STRUCTURED_HEADERS
from tests.every import every
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


@every(
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
    assert "personal-data" in [found.code for found in verdict.faults]
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
    event, *_ = refusal_event(
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


BINARY = [("content-type", b"application/json"), ("ce_source", HEALTH.source.encode()), ("ce_id", b"e-1")]
UNREADABLE = [
    b"\xff %b \xff" % NATIONAL_ID.encode(),
    b'{"a":"%b"' % NATIONAL_ID.encode(),
    b'{"a":"%b","a":1}' % NATIONAL_ID.encode(),
    b'{"a":' + b"[" * 20 + NATIONAL_ID.encode(),
    b" " * 61_441 + NATIONAL_ID.encode(),
    '{"رقم":"١٠٦٤٩٧١٢٦٨"'.encode(),
]


@every("headers", [BINARY, STRUCTURED_HEADERS])
@every("value", UNREADABLE)
def test_of_data_that_cannot_be_read_and_holds_a_national_id_nothing_is_kept(value: bytes, headers: Any) -> None:
    verdict = refused(value, headers)
    assert [found.code for found in verdict.faults].count("personal-data") == 1
    assert len(verdict.faults) == 2
    assert verdict.keep_raw is False
    assert (verdict.claimed_source, verdict.claimed_id, verdict.claimed_type) == (None, None, None)
    event, *_ = refusal_event(
        topic="agency.health.events", partition=0, offset=7, value=value, refused=verdict, time="2026-11-25T10:00:00Z"
    )
    for kept in (b"sha256", b"claimed", NATIONAL_ID.encode(), "١٠٦٤٩٧١٢٦٨".encode()):
        assert kept not in event


def test_of_an_attribute_beside_data_that_cannot_be_read_nothing_is_kept_either() -> None:
    verdict = refused(b"{", [*BINARY, ("ce_correlationid", NATIONAL_ID.encode())])
    assert [found.code for found in verdict.faults] == ["not-json", "personal-data"]
    assert not verdict.keep_raw


def test_personal_data_counts_though_more_faults_come_before_it_than_are_listed() -> None:
    event = initiative(a=["\0"] * FAULTS_MAX)
    event["data"]["zz"] = NATIONAL_ID
    raw = encoded(event)
    verdict = refused(raw)
    assert [found.pointer.rpartition("/")[0] for found in verdict.faults] == ["", *["/a"] * (FAULTS_MAX - 1)]
    assert verdict.unlisted == 3  # the last of `a`, and `zz` as unknown and as personal
    assert (verdict.claimed_source, verdict.claimed_id, verdict.claimed_type) == (None, None, None)
    refusal, *_ = refusal_event(
        topic="t", partition=0, offset=7, value=raw, refused=verdict, time="2026-11-25T10:00:00.000000Z"
    )
    assert b"sha256" not in refusal
    assert NATIONAL_ID.encode() not in refusal


@pytest.mark.parametrize(("size", "codes"), [(131_072, ["personal-data", "too-large"]), (131_073, ["too-large"])])
def test_a_value_longer_than_any_record_is_not_searched_and_not_kept(size: int, codes: list[str]) -> None:
    text = f'"{NATIONAL_ID}"'.encode()
    verdict = refused(b" " * (size - len(text)) + text)
    assert [found.code for found in verdict.faults] == codes
    assert not verdict.keep_raw


def test_a_record_that_is_too_large_for_an_event_is_kept() -> None:
    assert refused(b" " * 131_072).keep_raw
