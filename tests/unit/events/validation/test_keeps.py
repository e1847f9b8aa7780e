"""What may be kept of a refused record: never a personal value, and nothing that is not well-formed."""

from __future__ import annotations

from typing import Any

from events.validation.verdicts import Refused
from events.values.bounds import FAULTS_MAX
from events.wire.codec import STRUCTURED_HEADERS
from tests.every import every
from tests.unit.events.judgements import refusal_of, refused
from tests.world.events import HEALTH, NATIONAL_ID, changed, encoded, initiative


def claims_of(verdict: Refused) -> tuple[str | None, str | None, str | None]:
    return verdict.claimed_source, verdict.claimed_id, verdict.claimed_type


NO_CLAIMS = (None, None, None)


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
def test_a_well_formed_claim_is_kept_and_no_other(pointer: str, value: Any, name: str) -> None:
    verdict = refused(encoded(initiative(remark="x")))
    assert claims_of(verdict) == (HEALTH.source, "e-1", "sa.gov.yesser.awareness.initiative-announced.v1")
    assert verdict.keep_raw
    assert getattr(refused(encoded(changed(initiative(), pointer, value))), name) is None


@every("pointer", ["/data/name/ar", "/id", "/subject", "/x"])
def test_of_a_personal_record_nothing_is_kept(pointer: str) -> None:
    raw = encoded(changed(initiative(sequence="0" * 19 + "7"), pointer, NATIONAL_ID))
    verdict = refused(raw)
    assert "personal-data" in [found.code for found in verdict.faults]
    require_nothing_is_kept(raw, verdict)
    assert verdict.sequence == 7


@every(
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


def test_no_fault_ever_shows_the_value_and_a_personal_header_keeps_the_record_from_being_kept() -> None:
    event = initiative(id=NATIONAL_ID, **{NATIONAL_ID: NATIONAL_ID})
    event["data"][NATIONAL_ID] = {"a": NATIONAL_ID}
    assert NATIONAL_ID not in repr(refused(encoded(event)))
    headers = [*STRUCTURED_HEADERS, ("x-user", NATIONAL_ID.encode())]
    assert not refused(encoded(initiative(remark="x")), headers).keep_raw


def require_nothing_is_kept(value: bytes, verdict: Refused) -> None:
    """Nor does the event about the refusal show anything."""
    assert (claims_of(verdict), verdict.keep_raw) == (NO_CLAIMS, False)
    event = refusal_of(value, verdict)
    for kept in (b"sha256", b"claimed", NATIONAL_ID.encode(), "١٠٦٤٩٧١٢٦٨".encode()):
        assert kept not in event


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
    require_nothing_is_kept(value, verdict)


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
    require_nothing_is_kept(raw, verdict)


def test_a_value_longer_than_any_record_is_not_searched_and_not_kept() -> None:
    text = f'"{NATIONAL_ID}"'.encode()
    for size, codes in ((131_072, ["personal-data", "too-large"]), (131_073, ["too-large"])):
        verdict = refused(b" " * (size - len(text)) + text)
        assert [found.code for found in verdict.faults] == codes
        assert not verdict.keep_raw
    assert refused(b" " * 131_072).keep_raw, "it is too large for an event only"
