"""What a fault says: the offending value, the rule, and what to do; and never a value that is or may be personal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.faults.details import arabic_of
from events.faults.findings import SHOWN_LENGTH_MAX, shown
from events.types.catalogue import CATALOGUE
from events.validation.closed_schema import closed_schema
from events.validation.models import event_model
from events.validation.refusal import refusal_event
from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency, Refused
from events.values.personal_data import holds_personal_data
from events.wire.codec import STRUCTURED_HEADERS
from tests.every import every
from tests.unit.events.samples import (
    HEALTH,
    PLATFORM,
    changed,
    encoded,
    golden,
    golden_event,
    initiative,
    sender_of,
    verdict_on,
)

NATIONAL_ID = "1064971268"
DETAIL_LENGTH_MAX = 300
"""A sentence and two shortened values."""


def details_of(raw: bytes | None, agency: Agency = HEALTH) -> list[str]:
    verdict = verdict_on(raw, STRUCTURED_HEADERS, agency)
    assert isinstance(verdict, Refused)
    return [fault.detail for fault in verdict.faults]


ID_FORM = "1–64 of A–Z a–z 0–9 . _ -, the first a letter or digit"
PERIODS = "a month YYYY-01 … YYYY-12 or a quarter YYYY-Q1 … YYYY-Q4"
DIGITS = "20 digits 0–9 from 1 on, with zeros in front"
WHOLE = "write a whole number in digits 0–9"

OF_A_VALUE: list[tuple[str, str, Any, str]] = [
    ("service.registered", "/data/group", "٢", f'"٢" is text; {WHOLE} (2).'),
    ("service.registered", "/data/group", "two", f'"two" is text; {WHOLE}.'),
    ("service.registered", "/data/group", 2.0, f"2.0 is a number with a point or exponent; {WHOLE} (2)."),
    ("service.registered", "/data/group", 2.5, f"2.5 is a number with a point or exponent; {WHOLE}."),
    ("service.registered", "/data/group", True, f"true is a Boolean; {WHOLE}."),
    ("service.registered", "/data/group", None, f"This value is null; {WHOLE}."),
    ("service.registered", "/data/group", [1], f"This value is a list; {WHOLE}."),
    ("service.registered", "/data/group", 4, "4 is not allowed: group is 1, 2 or 3."),
    ("service.registered", "/data/group", 0, "0 is not allowed: group is 1, 2 or 3."),
    ("service.registered", "/data/name", "x", '"x" is text; write an object { … }.'),
    ("service.registered", "/data/name/en", 5, "5 is a number; write text in quotes."),
    ("service.registered", "/data/name/en", "", "en has 0 characters; write at least 1."),
    ("service.registered", "/data/name/en", "x" * 2001, "en has 2,001 characters; write at most 2,000."),
    ("service.registered", "/data/name/en", " \n", "en holds only white space; write words."),
    ("service.registered", "/data/name/en", "a\r", "en holds the control character U+000D; remove it."),
    ("service.registered", "/data/name/fr", "x", "Unknown field; remove it or correct its name."),
    ("service.registered", "/data/name/ar", ..., "ar is missing; add it."),
    ("service.registered", "/data/plan_id", "a b", f'"a b" is not allowed: plan_id is {ID_FORM}.'),
    ("service.registered", "/data/plan_id", "x" * 65, f'"{"x" * 40}…" is not allowed: plan_id is {ID_FORM}.'),
    ("service.registered", "/data/plan_id", "a\u202e", f'"a\\u202e" is not allowed: plan_id is {ID_FORM}.'),
    (
        "service.registered",
        "/data/plan_id",
        2**53,
        "9007199254740992 is beyond ±(2^53 − 1); write a whole number within it.",
    ),
    (
        "service.launched",
        "/data/channels/1",
        "fax",
        '"fax" is not allowed: channels is web, mobile, kiosk, phone or counter.',
    ),
    ("service.launched", "/data/channels", [], "channels has 0 items; write at least 1."),
    ("service.launched", "/data/channels", "web", '"web" is text; write a list [ … ].'),
    ("service.launched", "/data/url", "http://a/", '"http://a/" is not allowed: url is an absolute https URL.'),
    (
        "service.launched",
        "/data/on",
        "1427-02-01",
        '"1427-02-01" is outside 1924-08-01 … 2077-11-16; write the Gregorian date.',
    ),
    (
        "service.launched",
        "/data/on",
        "2006-2-1",
        '"2006-2-1" is not a date; write YYYY-MM-DD in the Gregorian calendar.',
    ),
    (
        "service.launched",
        "/time",
        "yesterday",
        '"yesterday" is not a time; write it as in 2026-01-31T09:00:00+03:00 (RFC 3339 with offset).',
    ),
    (
        "service.launched",
        "/subject",
        "service/SVC-018",
        '"service/SVC-018" is not the subject of this data; write "service/SVC-017".',
    ),
    (
        "service.launched",
        "/specversion",
        1.0,
        '1.0 is a number with a point or exponent; write text in quotes ("1.0").',
    ),
    ("service.launched", "/specversion", 1, '1 is a number; write text in quotes ("1.0").'),
    ("service.launched", "/specversion", "0.3", '"0.3" is not allowed: specversion is 1.0.'),
    ("service.launched", "/sequence", "1", f'"1" is not allowed: sequence is {DIGITS}.'),
    ("service.launched", "/sequence", "0" * 19 + "12", f'"{"0" * 19}12" is not allowed: sequence is {DIGITS}.'),
    ("service.launched", "/sequence", "0" * 20, f'"{"0" * 20}" is not allowed: sequence is {DIGITS}.'),
    ("service.launched", "/sequence", 1, "1 is a number; write text in quotes."),
    ("service.launched", "/type", "service.opened", '"service.opened" is not in the catalogue; use one of its types.'),
    (
        "service.launched",
        "/source",
        "urn:yesser:agency:traffic",
        '"urn:yesser:agency:traffic" is another agency; write urn:yesser:agency:health.',
    ),
    (
        "partnership.signed",
        "/data/terms/bands/0/up_to_halalas",
        0,
        "0 is not allowed: up_to_halalas is 1 or more.",
    ),
    ("revenue.collected", "/data/amount_halalas", 0, "0 is not allowed: amount_halalas is 1 or more."),
    ("revenue.period-closed", "/data/period", "1426-13", f'"1426-13" is not allowed: period is {PERIODS}.'),
    (
        "partnership.signed",
        "/data/terms/bands/0/partner_bp",
        10_001,
        "10001 is not allowed: partner_bp is 0 to 10000.",
    ),
    (
        "partnership.signed",
        "/data/terms/guarantee/recoverable",
        "yes",
        '"yes" is text; write true or false.',
    ),
]


@every(("name", "pointer", "value", "detail"), OF_A_VALUE)
def test_a_fault_names_the_value_the_rule_and_what_to_do(name: str, pointer: str, value: Any, detail: str) -> None:
    event = golden_event(name)
    assert details_of(encoded(changed(event, pointer, value)), sender_of(event)) == [detail]
    assert arabic_of(detail) != detail


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b'{"a":1,"a":2}', 'The name "a" occurs twice in one object; write it once.'),
        (b'{"a":1,}', "Not well-formed JSON at character 8; write exactly one JSON value."),
        (b'{"a":[1 , ]}', "Not well-formed JSON at character 11; write exactly one JSON value."),
        (b'{"a":1 , \n}', "Not well-formed JSON at character 11; write exactly one JSON value."),
        (b"[1]", "The event is a list; write a JSON object."),
        (b'{"a":"\xff"}', "Byte 7 is not UTF-8; write the whole event as UTF-8."),
        (b" " * 61_441, "The event has 61,441 bytes; shorten it to at most 61,440."),
    ],
)
def test_a_fault_of_the_whole_names_the_place_or_the_size(raw: bytes, detail: str) -> None:
    assert details_of(raw) == [detail]


def test_a_type_that_the_role_may_not_send_is_named_with_who_may() -> None:
    event = changed(golden_event("plan.adopted"), "/source", HEALTH.source)
    assert details_of(encoded(event)) == ["An agency may not send plan.adopted; only the programme office may."]


@pytest.mark.parametrize("personal", [NATIONAL_ID, f"x {NATIONAL_ID}", "١٠٦٤٩٧١٢٦٨"])
def test_nothing_of_a_record_with_personal_data_is_quoted(personal: str) -> None:
    event = initiative(id="a b", subject="secret subject", time="secret time", remark=personal)
    event["data"]["on"] = "secret"
    text = " ".join(details_of(encoded(event)))
    assert "secret" not in text
    assert "a b" not in text
    assert personal not in text
    assert "This value is not a time" in text
    repeated = encoded(event).replace(b"{", b'{"id":"secret","id":"x",', 1)
    assert details_of(repeated) == [
        "A name occurs twice in one object; write it once.",
        "A national id was found here; remove it.",
    ]


@pytest.mark.parametrize(
    ("name", "pointer", "value", "detail"),
    [
        ("service.registered", "/data/group", int(NATIONAL_ID), "This value is not allowed: group is 1, 2 or 3."),
        (
            "service.registered",
            "/data/group",
            float(NATIONAL_ID),
            f"This value is a number with a point or exponent; {WHOLE}.",
        ),
        ("service.registered", "/data/group", "2064971269", f"This value is text; {WHOLE}."),
        ("service.registered", "/data/group", "٢٠٦٤٩٧١٢٦٩", f"This value is text; {WHOLE}."),
        ("service.registered", "/data/name/en", int(NATIONAL_ID), "This value is a number; write text in quotes."),
        (
            "service.launched",
            "/data/on",
            "no 1064971269",
            "This value is not a date; write YYYY-MM-DD in the Gregorian calendar.",
        ),
    ],
)
def test_ten_digits_are_never_quoted_even_where_they_are_no_national_id(
    name: str, pointer: str, value: Any, detail: str
) -> None:
    event = golden_event(name)
    assert details_of(encoded(changed(event, pointer, value)), sender_of(event)) == [detail]


def test_every_integer_of_the_catalogue_has_bounds_that_a_fault_can_name() -> None:
    def integers(schema: Any) -> Iterator[Any]:
        if schema["type"] == "int":
            yield schema
        for part in (field["schema"] for field in schema.get("fields", {}).values()):
            yield from integers(part)
        for name in ("schema", "items_schema"):
            if name in schema:
                yield from integers(schema[name])

    found = [schema for name in CATALOGUE for schema in integers(closed_schema(event_model(name)))]
    assert len(found) > 40
    assert all("ge" in schema and "le" in schema for schema in found)


def test_a_personal_header_keeps_values_from_being_quoted() -> None:
    headers = [*STRUCTURED_HEADERS, ("x-user", NATIONAL_ID.encode())]
    verdict = verdict_on(encoded(initiative(time="secret")), headers, HEALTH)
    assert isinstance(verdict, Refused)
    assert "secret" not in verdict.faults[0].detail


def test_an_escaped_name_that_is_a_national_id_is_not_quoted_where_it_occurs_twice() -> None:
    raw = b'{"\\u0031064971268":1,"\\u0031064971268":2}'
    assert details_of(raw) == ["A name occurs twice in one object; write it once."]


@given(st.text() | st.integers() | st.floats() | st.text('0123456789١٢\x85\u202e"\\ .', max_size=60))
def test_what_is_shown_is_short_printable_and_never_personal(value: Any) -> None:
    text = shown(value)
    if text is not None:
        assert text.isprintable()
        assert len(text) <= SHOWN_LENGTH_MAX + len('"…"')
        assert not holds_personal_data(text)


def places(value: Any, pointer: str = "") -> list[str]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [pointer, *(place for key, item in below for place in places(item, f"{pointer}/{key}"))]


VALUES = st.one_of(
    st.sampled_from(
        [None, True, 0, -1, 4, 2.5, 2**53, 10**30, [], {}, "", " ", "a\x00", "\ud800", "\x85", "x" * 3_000]
    ),
    st.sampled_from(
        [NATIONAL_ID, int(NATIONAL_ID), "1064971269", f"{NATIONAL_ID}0", "\u202e" * 50, '"\\' * 50, "{value}"]
    ),
    st.text(max_size=60),
    st.integers(),
)


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_a_refusal_of_anything_is_itself_well_formed_bounded_and_free_of_personal_data(data: st.DataObject) -> None:
    event = json.loads(data.draw(st.sampled_from([raw for _, raw in golden()])))
    agency = sender_of(event)
    for _ in range(data.draw(st.integers(1, 3))):
        pointer = data.draw(st.sampled_from(places(event)[1:]))
        event = changed(event, pointer, data.draw(VALUES))
    raw = encoded(event)
    verdict = validate(raw, STRUCTURED_HEADERS, agency)
    if isinstance(verdict, Refused):
        assert max(len(fault.detail) for fault in verdict.faults) <= DETAIL_LENGTH_MAX
        assert all(arabic_of(fault.detail) != fault.detail for fault in verdict.faults)
        refusal, *_ = refusal_event(
            topic="t", partition=0, offset=1, value=raw, refused=verdict, time="2026-11-25T10:00:00.000000Z"
        )
        assert isinstance(validate(refusal, STRUCTURED_HEADERS, PLATFORM), Accepted)
