"""Which mode a request is in, and which records are validated."""

from __future__ import annotations

import pytest

from infra.http.problems import Problem
from producers.gateway.http.content_mode import Content, content_of, decode_value, split_batch
from tests.every import every

JSON = (b"content-type", b"application/json")
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
BATCH, SINGLE = Content(True, STRUCTURED), Content(False, STRUCTURED)


@every(
    ("content_type", "content"),
    [
        (b"application/cloudevents+json", SINGLE),
        (b"Application/CloudEvents+JSON; charset=utf-8", SINGLE),
        (b"application/cloudevents-batch+json", BATCH),
        (b'application/cloudevents-batch+json;charset="UTF-8"', BATCH),
        (b"application/json", Content(False, [("content-type", b"application/json"), ("ce_id", b"1")])),
        (b"text/plain", Content(False, [("content-type", b"text/plain"), ("ce_id", b"1")])),
    ],
)
def test_the_content_type_says_the_mode_else_the_attribute_headers_do(content_type: bytes, content: Content) -> None:
    assert content_of([(b"content-type", content_type), (b"ce-id", b"1")]) == content


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
        content_of(headers)
    assert caught.value.status == 415


def test_a_binary_request_becomes_kafkas_binary_mode_with_arabic_decoded() -> None:
    headers = [JSON, (b"ce-subject", b"plan/%D8%A7"), (b"host", b"x"), (b"ce-id", b'"a\\"b"')]
    subject = "plan/ا".encode()
    records = [("content-type", b"application/json"), ("ce_subject", subject), ("ce_id", b'a"b')]
    assert content_of(headers) == Content(False, records)

    repeated = content_of([JSON, (b"ce-id", b"1"), (b"ce-id", b"2")])
    assert [name for name, _ in repeated.record_headers].count("ce_id") == 2, "so that it is refused"


def test_an_escape_is_decoded_once_and_a_bad_one_is_no_utf8() -> None:
    assert decode_value(b"%2541") == b"%41"
    for value in (b"%C0%A0", b"%ZZ", b"100%", b"%"):
        with pytest.raises(UnicodeDecodeError):
            decode_value(value).decode()


def test_a_batchs_events_keep_their_bytes_and_more_than_allowed_are_a_problem() -> None:
    batch = b' [ {"a" : 1} ,\n{"b": [ ]} ] '
    assert split_batch(batch, 2) == [b'{"a" : 1}', b'{"b": [ ]}']
    with pytest.raises(Problem) as caught:
        split_batch(b"[" + b"{}," * 10_000 + b"{}]", 2)
    assert caught.value.code == "too-many-events"


@every("body", [b"", b"{}", b"[", b"[{}", b"[{},]", b"[{}]]", b"\xef\xbb\xbf[]"])
def test_a_batch_that_is_no_array_is_malformed(body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        split_batch(body, 10)
    assert caught.value.status == 400
