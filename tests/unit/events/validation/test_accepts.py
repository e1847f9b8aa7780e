"""What is accepted, and what the verdict says of it."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
import rfc8785

from events.validation.verdicts import Accepted, Refused
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.envelope import EVENT_BYTES_MAX
from tests.every import every
from tests.unit.events.samples import HEALTH, changed, encoded, golden_event, initiative, sender_of, verdict_on


def accepted(raw: bytes) -> Accepted:
    verdict = verdict_on(raw, STRUCTURED_HEADERS, HEALTH)
    assert isinstance(verdict, Accepted), verdict
    return verdict


def test_the_bytes_pass_verbatim() -> None:
    raw = json.dumps(initiative(), indent=3).encode() + b"\n\n"
    assert accepted(raw).event_bytes == raw


def test_an_acceptance_tells_what_the_registrar_needs() -> None:
    verdict = accepted(encoded(initiative(sequence="00000000000000000014")))
    assert (verdict.type, verdict.id, verdict.subject, verdict.sequence) == (
        "awareness.initiative-announced",
        "e-1",
        "initiative/I-1",
        14,
    )
    assert verdict.claim == sha256(b"urn:yesser:agency:health\x00e-1").digest()[:16]
    assert verdict.identity == sha256(rfc8785.dumps(initiative())).digest()[:16]
    assert accepted(encoded(initiative())).sequence is None


@every(
    "form",
    [
        lambda event: json.dumps(event).encode(),
        lambda event: json.dumps(event, indent=2, ensure_ascii=False).encode(),
        lambda event: json.dumps(dict(reversed(event.items())), separators=(",", ":")).encode(),
        lambda event: json.dumps({**event, "sequence": "00000000000000000009"}).encode(),
        lambda event: json.dumps({**event, "traceparent": "00-1-2-03", "tracestate": "a=b"}).encode(),
        lambda event: json.dumps({**event, "sequence": None, "hijridate": None, "whatever": None}).encode(),
        lambda event: json.dumps(event, separators=(" ,\r\n", "\t: ")).encode(),
        lambda event: json.dumps(event).encode().replace(b'"id"', b'"\\u0069\\u0064"'),
    ],
)
def test_the_same_event_in_another_writing_has_the_same_identity(form: Any) -> None:
    assert accepted(form(initiative())).identity == accepted(encoded(initiative())).identity


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/time", "2005-05-05T05:05:05.0Z"),
        ("/datacontenttype", "application/json; charset=utf-8"),
        ("/correlationid", "c-1"),
        ("/data/on", "2005-05-06"),
    ],
)
def test_a_different_event_has_another_identity_but_the_same_claim(pointer: str, value: str) -> None:
    first, other = accepted(encoded(initiative())), accepted(encoded(changed(initiative(), pointer, value)))
    assert first.claim == other.claim
    assert first.identity != other.identity


def test_minus_zero_is_zero() -> None:
    event = golden_event("awareness.campaign-aired")
    zero = encoded(changed(event, "/data/reach", 0))
    minus_zero = zero.replace(b'"reach": 0', b'"reach": -0')
    assert minus_zero != zero
    assert accepted(minus_zero).identity == accepted(zero).identity
    assert accepted(minus_zero).event["data"]["reach"] == 0


@pytest.mark.parametrize(
    "time",
    [
        "1925-01-01T00:00:00Z",
        "2077-12-31T23:59:59.999999999-12:00",
        "2005-05-05t05:05:05z",
        "2004-02-29T05:05:05+03:00",
        "2005-05-05T05:05:05-00:00",
        "2005-05-05T05:05:05.1234567890123Z",
    ],
)
def test_every_form_of_rfc_3339_within_the_years_is_taken(time: str) -> None:
    accepted(encoded(initiative(time=time)))


@pytest.mark.parametrize("on", ["1924-08-01", "2077-11-16", "2000-02-29"])
def test_the_edges_of_the_table_are_dates(on: str) -> None:
    accepted(encoded(changed(initiative(), "/data/on", on)))


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", "application/json;charset=utf-8", 'application/json ; a="b c"; d=e'],
)
def test_datacontenttype_may_have_parameters(content_type: str) -> None:
    accepted(encoded(initiative(datacontenttype=content_type)))


def test_datacontenttype_and_every_extension_may_be_absent() -> None:
    accepted(encoded(initiative(datacontenttype=...)))


@pytest.mark.parametrize("text", ["س" * 2000, "سطر\nآخر", "two\tcolumns", "\u200b", "🇸🇦", "a\u00a0", "\ufeff"])
def test_texts_of_every_kind_pass(text: str) -> None:
    accepted(encoded(changed(initiative(), "/data/name/ar", text)))


@pytest.mark.parametrize(
    "url",
    [
        "https://a",
        "HTTPS://services.example:8443/x?q=1#f",
        "https://user@services.example/",
        "https://[2001:db8::1]/",
        "https://خدمات.example/مواعيد",
        "https://a.example/" + "x" * 1982,
    ],
)
def test_an_absolute_https_url_passes(url: str) -> None:
    event = changed(golden_event("service.launched"), "/data/url", url)
    assert isinstance(verdict_on(encoded(event), STRUCTURED_HEADERS, sender_of(event)), Accepted)


def test_an_event_of_exactly_61440_bytes_passes() -> None:
    raw = encoded(initiative())
    accepted(raw + b" " * (EVENT_BYTES_MAX - len(raw)))


def test_sixteen_levels_are_not_too_deep() -> None:
    event = initiative(x=json.loads("[" * 15 + "]" * 15))
    verdict = verdict_on(encoded(event), STRUCTURED_HEADERS, HEALTH)
    assert isinstance(verdict, Refused)
    assert [found.code for found in verdict.faults] == ["unknown-field"]


def test_brackets_within_texts_do_not_count_as_levels() -> None:
    accepted(encoded(changed(initiative(), "/data/name/en", '[{"\\' * 40)))


def test_both_bounds_of_integers_pass() -> None:
    greatest = changed(golden_event("revenue.collected"), "/data/amount_halalas", 2**53 - 1)
    accepted(encoded(greatest))


def test_list_items_may_repeat_unless_said_otherwise() -> None:
    accepted(encoded(changed(golden_event("service.launched"), "/data/channels", ["web", "web"])))
