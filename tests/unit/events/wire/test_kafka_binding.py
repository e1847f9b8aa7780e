"""CloudEvents on Kafka: the mode test, attributes in headers, and headers that cannot be read."""

from __future__ import annotations

from typing import Any

import orjson
import rfc8785

from events.wire.codec import STRUCTURED_HEADERS
from events.wire.envelope import EVENT_BYTES_MAX
from events.wire.kafka_binding import is_structured
from tests.every import every
from tests.unit.events.judgements import accepted, faults_of, refused
from tests.world.events import encoded, initiative

Headers = list[tuple[str, bytes | None]]
MISSING = ("id", "source", "specversion", "subject", "time", "type")


def binary(**changes: bytes | Any | None) -> tuple[bytes, Headers]:
    """A good event in binary mode; `changes` replace headers by attribute name, `...` leaves one out."""
    event = initiative()
    value = encoded(event.pop("data"))
    content_type = event.pop("datacontenttype").encode()
    attributes = {name: text.encode() for name, text in event.items()} | changes
    headers = [(f"ce_{name}", text) for name, text in attributes.items() if text is not ...]
    return value, [("content-type", content_type), *headers]


@every(
    ("headers", "structured"),
    [
        ([], False),
        ([("content-type", b"application/json")], False),
        ([("content-type", None)], False),
        ([("content-type", b"application/cloudevents+json; charset=UTF-8")], True),
        ([("Content-Type", b"Application/CloudEvents+JSON")], True),
        ([("content-type", b"application/json"), ("content-type", b"application/cloudevents+json")], False),
    ],
)
def test_the_content_type_decides_the_mode(headers: Headers, structured: bool) -> None:
    assert is_structured(headers) == structured


def test_a_binary_event_stands_in_the_log_as_canonical_structured_json_and_is_the_same_event() -> None:
    value, headers = binary()
    verdict, structured = accepted(value, headers), accepted(encoded(initiative()))
    assert verdict.event_bytes == rfc8785.dumps(initiative())
    assert (structured.identity, structured.claim) == (verdict.identity, verdict.claim)
    untyped = accepted(value, headers[1:])
    assert "datacontenttype" not in orjson.loads(untyped.event_bytes), "no content type means binary and JSON"


@every(
    "more",
    [
        ("x-anything", b"\xff"),
        ("ce_datacontenttype", b"\xff"),
        ("ce_datacontenttype", b"text/plain"),
        ("CE_id", b"other"),
        ("ce_hijridate", None),
        ("traceparent", b"\xfe"),
    ],
)
def test_unknown_headers_null_ones_and_ce_datacontenttype_are_ignored(more: tuple[str, bytes | None]) -> None:
    value, headers = binary()
    accepted(value, [*headers, more])
    accepted(encoded(initiative()), [*STRUCTURED_HEADERS, more])


def test_in_structured_mode_the_attribute_headers_say_nothing_but_must_be_utf8() -> None:
    raw = encoded(initiative())
    accepted(raw, [*STRUCTURED_HEADERS, ("ce_id", b"another")])
    assert faults_of(raw, [*STRUCTURED_HEADERS, ("ce_id", b"\xff")]) == [("bad-header", "/id")]


@every(
    ("changes", "expected"),
    [
        ({"id": ...}, [("missing-field", "/id")]),
        ({"id": b"\xff", "time": b"yesterday"}, [("bad-header", "/id"), ("invalid-value", "/time")]),
        ({"id": None}, [("missing-field", "/id")]),
        ({"id": b"a b"}, [("invalid-value", "/id")]),
        ({"remark": b"x"}, [("unknown-field", "/remark")]),
        ({"data_base64": b"e30="}, [("unknown-field", "/data_base64")]),
        ({"data": b"{}"}, [("bad-header", "/data")]),
        ({"subject": b"initiative/I-2"}, [("subject-mismatch", "/subject")]),
        ({"sequence": b"1"}, [("invalid-value", "/sequence")]),
        ({"source": b"urn:yesser:agency:interior"}, [("foreign-source", "/source")]),
        ({"correlationid": b"1064971268"}, [("personal-data", "/correlationid")]),
    ],
)
def test_attributes_in_headers_are_judged_like_those_in_json(changes: Any, expected: list[tuple[str, str]]) -> None:
    value, headers = binary(**changes)
    assert faults_of(value, headers) == expected


def test_a_content_type_that_is_no_utf8_is_a_bad_header_and_one_that_is_not_json_is_refused() -> None:
    value, headers = binary()
    for content_type, code in ((b"\xff", "bad-header"), (b"text/xml", "invalid-value")):
        assert faults_of(value, [("content-type", content_type), *headers[1:]]) == [(code, "/datacontenttype")]


@every(
    ("value", "expected"),
    [
        (None, [("tombstone", "")]),
        (b"", [("not-json", "")]),
        (b"null", [("missing-field", "/data")]),
        (b"[]", [("invalid-value", "/data")]),
        (b'"x"', [("invalid-value", "/data")]),
        (b'{"a":1,"a":1}', [("duplicate-name", "")]),
        (b'1},"x":{"a":1', [("not-json", "")]),
        (b"[" * 16 + b"]" * 16, [("too-deep", "")]),
        (b"\xff", [("not-utf8", "")]),
    ],
)
def test_the_value_is_the_data(value: bytes | None, expected: list[tuple[str, str]]) -> None:
    _, headers = binary()
    assert faults_of(value, headers) == expected


def test_attributes_count_as_names_as_personal_data_and_towards_the_size() -> None:
    value, headers = binary()
    assert faults_of(value, [*headers, ("ce_id", b"e-2")]) == [("duplicate-name", "")]
    padded = value + b" " * (EVENT_BYTES_MAX - len(value))
    assert faults_of(padded, headers) == [("too-large", "")]
    _, headers = binary(correlationid=b"1064971268")
    assert faults_of(None, headers) == [("personal-data", ""), ("tombstone", "")]


@every(
    ("headers", "value", "expected", "is_claimed"),
    [
        ([], encoded(initiative()), [("bad-header", "")], True),
        ([("x-other", b"1"), ("content-type", b"text/plain")], encoded(initiative()), [("bad-header", "")], True),
        ([("ce_id", None)], encoded(initiative()), [("bad-header", "")], True),
        ([], b"{", [("bad-header", "")], False),
        ([], b"[]", [("bad-header", "")], False),
        ([], b" " * EVENT_BYTES_MAX + b"{}", [("bad-header", "")], False),
        ([], encoded(initiative(remark="1000000008")), [("bad-header", ""), ("personal-data", "")], False),
        ([], None, [("tombstone", "")], False),
        ([("ce_datacontenttype", b"x")], b"{}", [("missing-field", f"/{name}") for name in MISSING], False),
    ],
)
def test_a_record_that_no_header_marks_as_an_event_has_one_fault_that_names_the_header(
    headers: Headers, value: bytes | None, expected: list[tuple[str, str]], is_claimed: bool
) -> None:
    verdict = refused(value, headers)
    assert [(fault.code, fault.pointer) for fault in verdict.faults] == expected
    if expected[0][0] == "bad-header":
        assert "content-type" in verdict.faults[0].detail
    assert (verdict.claimed_id is not None, verdict.claimed_type is not None) == (is_claimed, is_claimed)
