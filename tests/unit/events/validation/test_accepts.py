"""What is accepted, and what the verdict says of it."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import rfc8785

from events.wire.envelope import EVENT_BYTES_MAX
from tests.every import every
from tests.unit.events.judgements import accepted, faults_of, faults_of_event
from tests.world.events import changed, encoded, golden_event, initiative


def test_an_acceptance_tells_what_the_registrar_needs_and_the_bytes_pass_verbatim() -> None:
    raw = json.dumps(initiative(sequence="00000000000000000014"), indent=3).encode() + b"\n\n"
    verdict = accepted(raw)
    assert verdict.event_bytes == raw
    assert (verdict.type, verdict.id) == ("awareness.initiative-announced", "e-1")
    assert (verdict.subject, verdict.sequence) == ("initiative/I-1", 14)
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
        lambda event: json.dumps(
            {**event, "sequence": "00000000000000000009", "tracestate": 'a=","sequence":"\\', "whatever": None}
        ).encode(),
        lambda event: json.dumps({**event, "sequence": None, "hijridate": None, "whatever": None}).encode(),
        lambda event: json.dumps(event, separators=(" ,\r\n", "\t: ")).encode(),
        lambda event: json.dumps(event).encode().replace(b'"id"', b'"\\u0069\\u0064"'),
    ],
)
def test_the_same_event_in_another_writing_has_the_same_identity(form: Any) -> None:
    assert accepted(form(initiative())).identity == accepted(encoded(initiative())).identity


@every(
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


TIMES = (
    "1925-01-01T00:00:00Z",
    "2077-12-31T23:59:59.999999999-12:00",
    "2005-05-05t05:05:05z",
    "2004-02-29T05:05:05+03:00",
    "2005-05-05T05:05:05-00:00",
    "2005-05-05T05:05:05.1234567890123Z",
)
CONTENT_TYPES = ("Application/JSON", "application/json;charset=utf-8", 'application/json ; a="b c"; d=e', ...)
TEXTS = ("س" * 2000, "سطر\nآخر", "two\tcolumns", "\u200b", "🇸🇦", "a\u00a0", "\ufeff", '[{"\\' * 40)


@every(
    ("pointer", "value"),
    [
        *(("/time", time) for time in TIMES),
        *(("/datacontenttype", content_type) for content_type in CONTENT_TYPES),
        *(("/data/on", on) for on in ("1924-08-01", "2077-11-16", "2000-02-29")),
        *(("/data/name/ar", text) for text in TEXTS),
    ],
)
def test_every_form_that_the_contract_allows_is_taken(pointer: str, value: Any) -> None:
    accepted(encoded(changed(initiative(), pointer, value)))


@every(
    ("name", "pointer", "value"),
    [
        ("service.launched", "/data/url", "https://a"),
        ("service.launched", "/data/url", "HTTPS://services.example:8443/x?q=1#f"),
        ("service.launched", "/data/url", "https://user@services.example/"),
        ("service.launched", "/data/url", "https://[2001:db8::1]/"),
        ("service.launched", "/data/url", "https://خدمات.example/مواعيد"),
        ("service.launched", "/data/url", "https://a.example/" + "x" * 1982),
        ("service.launched", "/data/channels", ["web", "web"]),
        ("revenue.collected", "/data/amount_halalas", 2**53 - 1),
    ],
)
def test_urls_lists_and_integers_are_taken_up_to_their_bounds(name: str, pointer: str, value: Any) -> None:
    assert faults_of_event(changed(golden_event(name), pointer, value)) == []


def test_sixteen_levels_are_not_too_deep_and_61440_bytes_not_too_large() -> None:
    assert faults_of(encoded(initiative(x=json.loads("[" * 15 + "]" * 15)))) == [("unknown-field", "/x")]
    raw = encoded(initiative())
    accepted(raw + b" " * (EVENT_BYTES_MAX - len(raw)))
