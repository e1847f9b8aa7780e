"""Cutting a batch: the same elements as a JSON parser finds, in the bytes they were sent in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.gateway.http import content_mode
from producers.gateway.http.content_mode import NotAnArray, TooManyTokens, split_array, split_by_hand
from tests.every import every
from tests.world.events import encoded, golden_event

_LEAVES = st.none() | st.booleans() | st.integers() | st.text()
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)
_SPACES = st.text(alphabet=" \t\n\r", max_size=3)


@given(st.lists(_VALUES, max_size=6), _SPACES, st.booleans())
def test_any_array_is_cut_into_its_elements(values: list[Any], space: str, ascii_only: bool) -> None:
    pieces = [json.dumps(value, ensure_ascii=ascii_only) for value in values]
    body = space + "[" + space + f"{space},{space}".join(pieces) + space + "]" + space
    assert [piece.decode() for piece in split_array(body.encode(), 100)] == pieces


@every("element", [b"{}", b"1"])
def test_it_stops_soon_after_too_many(element: bytes) -> None:
    assert 3 <= len(split_array(b"[" + (element + b",") * 10_000 + element + b"]", 2)) <= 4


@every("body", [b"[,]", b"[1,,2]", b"[1", b"1]", b"[[1]", b"[1]]", b"["])
def test_what_is_no_array_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(NotAnArray):
        split_array(body, 10)


_FRAGMENTS = st.sampled_from(
    [
        *(b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b" ", b"\n", b"\x00", b"\x0b", b"\xff", b"\xef\xbb\xbf"),
        *(b"1", b"-", b"01", b"1.", b"NaN", b"null", b"tru", b"[]", b"{}", b'""', b'"a"', b"/**/", b"\xc2\xa0"),
        *(b'{"a":1,"a":2}', b'{"a":1,}', b'"},{"', b'"\\""', b'"\\ud800"', b'"\xed\xa0\x80"', b'"\x01"'),
        *(b"[" * 3_000, b'{"a":' * 3_000),
    ]
)


def outcome(divide: Callable[[bytes, int], list[bytes]], body: bytes, elements_max: int) -> list[bytes] | None:
    """The elements; None where there is no array; no more than one too many."""
    try:
        return divide(body, elements_max)[: elements_max + 1]
    except NotAnArray:
        return None


@settings(max_examples=1_000)
@given(st.lists(_FRAGMENTS, max_size=12).map(b"".join), st.booleans(), st.sampled_from([1, 2, 100]))
def test_the_library_cuts_as_is_cut_by_hand_whatever_the_bytes(inner: bytes, framed: bool, elements_max: int) -> None:
    body = b"[" + inner + b"]" if framed else inner
    assert outcome(split_array, body, elements_max) == outcome(split_by_hand, body, elements_max)


@given(st.lists(_VALUES, max_size=6), _SPACES, st.data())
def test_the_library_cuts_a_spoilt_array_as_is_cut_by_hand(values: list[Any], space: str, data: st.DataObject) -> None:
    body = bytearray(f"{space}[{f'{space},'.join(map(json.dumps, values))}]{space}".encode())
    for _ in range(data.draw(st.integers(0, 2))):
        start = data.draw(st.integers(0, len(body)))
        body[start : start + data.draw(st.integers(0, 2))] = data.draw(_FRAGMENTS)
    assert outcome(split_array, bytes(body), 100) == outcome(split_by_hand, bytes(body), 100)


def test_good_arrays_are_cut_by_the_library_and_others_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    by_hand: list[bytes] = []

    def noted(body: bytes, elements_max: int) -> list[bytes]:
        by_hand.append(body)
        return []

    monkeypatch.setattr(content_mode, "split_by_hand", noted)
    assert split_array(b'[ {"a" : "},{"} , {} ]', 10) == [b'{"a" : "},{"}', b"{}"]
    assert split_array(b"[]", 10) == []
    assert by_hand == []
    bad, deep, many = b"[{},{bad}]", b"[" * 50_000 + b"]" * 50_000, b"[" + b"1," * 2_500 + b"1]"
    for body in (bad, deep):
        split_array(body, 10)
    split_array(many, 9)
    assert by_hand == [bad, deep, many]


@every("unit", [b"[", b"[]", b"{}[", b'["a",', b'"" '])
def test_what_no_parser_splits_is_given_up_after_a_number_of_tokens(unit: bytes) -> None:
    body = b"[" + unit * (2_000_000 // len(unit)) + b"]"
    with pytest.raises(TooManyTokens):
        split_array(body, 1_000)


def test_a_full_batch_of_large_events_with_one_that_is_no_json_is_split() -> None:
    event = encoded(golden_event("plan.adopted"))
    body = b"[" + b",".join([event] * 200 + [b"{no json}"]) + b"]"
    assert split_array(body, 1_000) == [event] * 200 + [b"{no json}"]
