"""What `yesser publish` sends for each line of a file."""

from __future__ import annotations

import json

import pytest

from infra.event_files.ndjson import LINE_BYTES_MAX, Defaults, Line, LineSplitter, SequencesUsedUp
from tests.every import every

FULL = b'{"specversion":"1.0","source":"urn:yesser:agency:x","datacontenttype":"application/json","id":"a"}'


def split(*pieces: bytes) -> list[Line]:
    splitter = LineSplitter()
    return [line for piece in pieces for line in splitter.feed(piece)] + splitter.end()


@every(
    ("text", "lines"),
    [
        (b"", []),
        (b"one\n\n \t\r\nfour\n", [Line(1, b"one"), Line(4, b"four")]),
        (b"one\ntwo", [Line(1, b"one"), Line(2, b"two")]),
        (b"a\rb\x0b\x0c\xc2\x85\xe2\x80\xa8c\n", [Line(1, b"a\rb\x0b\x0c\xc2\x85\xe2\x80\xa8c")]),
        (b"one\n\nthree\r\n four", [Line(1, b"one"), Line(3, b"three\r"), Line(4, b" four")]),
    ],
)
def test_only_a_line_feed_ends_a_line_and_pieces_may_be_cut_anywhere(text: bytes, lines: list[Line]) -> None:
    for cut in range(len(text) + 1):
        assert split(text[:cut], text[cut:]) == lines


def test_a_line_of_exactly_the_limit_is_sent_and_a_longer_one_not_kept_unless_it_is_blank() -> None:
    fits, too_long = b"x" * LINE_BYTES_MAX, b"x" * (LINE_BYTES_MAX + 1)
    assert split(fits + b"\n" + too_long + b"\n") == [Line(1, fits), Line(2, None)]
    assert split(fits, b"\n", too_long) == [Line(1, fits), Line(2, None)]
    splitter = LineSplitter()
    for _ in range(100):
        assert splitter.feed(b"x" * 100_000) == []
        assert len(splitter._rest) <= LINE_BYTES_MAX
    assert splitter.feed(b"x\nnext\n") == [Line(1, None), Line(2, b"next")]
    assert split(b" " * 100_000, b" " * 100_000, b"\nx\n") == [Line(2, b"x")]


@every(
    ("line", "sent"),
    [
        (b"{}", b'{"specversion":"1.0","source":"urn:yesser:agency:x","datacontenttype":"application/json"}'),
        (b" { } ", b' {"specversion":"1.0","source":"urn:yesser:agency:x","datacontenttype":"application/json" } '),
        (
            b'\t{ "source":"s", "id" : "a" }\r',
            b'\t{"specversion":"1.0","datacontenttype":"application/json", "source":"s", "id" : "a" }\r',
        ),
        (
            b'{"specversion":null,"datacontenttype":"","data":{"source":"nested"}}',
            b'{"source":"urn:yesser:agency:x","specversion":null,"datacontenttype":"","data":{"source":"nested"}}',
        ),
        (
            b'{"specversion":"1.0","\\u0073ource":"escaped","datacontenttype":"a","datacontenttype":"b"}',
            b'{"specversion":"1.0","\\u0073ource":"escaped","datacontenttype":"a","datacontenttype":"b"}',
        ),
    ],
)
def test_what_a_line_lacks_is_spliced_in_after_its_first_brace(line: bytes, sent: bytes) -> None:
    assert Defaults("x").fill(line) == sent


@every(
    "line",
    [
        FULL,
        *[b"not json", b"[{}]", b'"{}"', b"null", b"\xef\xbb\xbf{}"],
        *[b'{"a":"\xff"}', b'{"a":1', b'{"a":NaN}', b'{"a":"\x00"}', b'{"a":' * 100_000 + b"1" + b"}" * 100_000],
    ],
)
def test_a_line_that_is_complete_or_no_object_is_sent_as_it_is(line: bytes) -> None:
    assert Defaults("x").fill(line) is line
    assert line is FULL or Defaults("x", 1).fill(line) is line


@every("value", [b'"\\ud800"', b"1e400", b"9" * 5000, b"-0", b"100.0"])
def test_a_value_that_the_registrar_refuses_does_not_keep_the_line_from_being_filled(value: bytes) -> None:
    assert Defaults("x").fill(b'{"a":' + value + b"}").startswith(b'{"specversion":"1.0","source":')


def test_sequences_count_up_to_twenty_digits_and_go_beyond_those_that_lines_bring() -> None:
    defaults = Defaults("x", 7)
    brought = [b'{"id":"a"}', b'{"sequence":"00000000000000000041"}', b'{"sequence":"12"}', b'{"sequence":null}', b"{}"]
    sent = [json.loads(defaults.fill(line))["sequence"] for line in brought]
    assert sent == ["00000000000000000007", "00000000000000000041", "12", None, "00000000000000000042"]
    last = Defaults("x", 10**20 - 1)
    assert json.loads(last.fill(b"{}"))["sequence"] == "9" * 20
    with pytest.raises(SequencesUsedUp, match="without `--sequence`"):
        last.fill(b"{}")
    assert json.loads(last.fill(brought[1]))["sequence"] == "00000000000000000041", "its own"
