"""Which mode a request is in, and which records are validated."""

from __future__ import annotations

import pytest

from infra.http.problems import Problem
from producers.gateway.http.content_mode import Mode, claims_of, decode_value, mode_of
from tests.every import every

JSON = (b"content-type", b"application/json")
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


@every(
    ("content_type", "mode"),
    [
        (b"application/cloudevents+json", "structured"),
        (b"Application/CloudEvents+JSON; charset=utf-8", "structured"),
        (b"application/cloudevents-batch+json", "batch"),
        (b'application/cloudevents-batch+json;charset="UTF-8"', "batch"),
        (b"application/json", "binary"),
        (b"text/plain", "binary"),
    ],
)
def test_the_content_type_says_the_mode_else_the_attribute_headers_do(content_type: bytes, mode: Mode) -> None:
    assert mode_of([(b"content-type", content_type), (b"ce-id", b"1")]) == mode


@every(
    "headers",
    [
        [],
        [JSON],
        [(b"content-type", b"application/cloudevents")],
        [(b"content-type", b"application/cloudevents+xml")],
        [(b"content-type", b"application/cloudevents-batch")],
        [(b"content-type", b"application/cloudevents-batch+avro")],
        [(b"content-type", b"application/cloudevents+json; charset=latin-1")],
        [(b"content-type", b"application/cloudevents+json"), (b"content-type", b"application/cloudevents+json")],
    ],
)
def test_what_is_no_cloud_event_is_an_unsupported_media_type(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(Problem) as caught:
        mode_of(headers)
    assert caught.value.status == 415


def test_a_binary_request_becomes_kafkas_binary_mode_with_arabic_decoded() -> None:
    headers = [JSON, (b"ce-subject", b"plan/%D8%A7"), (b"host", b"x"), (b"ce-id", b'"a\\"b"')]
    claims = claims_of("binary", headers, b"{}", 10)
    assert claims.values == [b"{}"]
    subject = "plan/ا".encode()
    assert claims.headers == [("content-type", b"application/json"), ("ce_subject", subject), ("ce_id", b'a"b')]

    repeated = claims_of("binary", [JSON, (b"ce-id", b"1"), (b"ce-id", b"2")], b"{}", 10)
    assert [name for name, _ in repeated.headers].count("ce_id") == 2, "so that it is refused"


def test_an_escape_is_decoded_once_and_a_bad_one_is_no_utf8() -> None:
    assert decode_value(b"%2541") == b"%41"
    for value in (b"%C0%A0", b"%ZZ", b"100%", b"%"):
        with pytest.raises(UnicodeDecodeError):
            decode_value(value).decode()


def test_a_batchs_events_keep_their_bytes_and_more_than_allowed_are_a_problem() -> None:
    batch = b' [ {"a" : 1} ,\n{"b": [ ]} ] '
    assert claims_of("batch", [], batch, 2) == ([b'{"a" : 1}', b'{"b": [ ]}'], STRUCTURED)
    with pytest.raises(Problem) as caught:
        claims_of("batch", [], b"[" + b"{}," * 10_000 + b"{}]", 2)
    assert caught.value.code == "too-many-events"


@every("body", [b"", b"{}", b"[", b"[{}", b"[{},]", b"[{}]]", b"\xef\xbb\xbf[]"])
def test_a_batch_that_is_no_array_is_malformed(body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        claims_of("batch", [], body, 10)
    assert caught.value.status == 400
