"""Cutting a batch: the same elements as a JSON parser finds, in the bytes they were sent in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.gateway.splitting import NotAnArray, split_array

_LEAVES = st.none() | st.booleans() | st.integers() | st.text()
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)
_SPACES = st.text(alphabet=" \t\n\r", max_size=3)


@given(st.lists(_VALUES, max_size=6), _SPACES, st.booleans())
def test_any_array_is_cut_into_its_elements(values: list[Any], space: str, ascii_only: bool) -> None:
    pieces = [json.dumps(value, ensure_ascii=ascii_only) for value in values]
    body = space + "[" + space + f"{space},{space}".join(pieces) + space + "]" + space
    assert [piece.decode() for piece in split_array(body.encode(), 100)] == pieces


@given(st.binary(max_size=40))
def test_no_bytes_break_it(raw: bytes) -> None:
    for body in (raw, b"[" + raw + b"]"):
        try:
            pieces = split_array(body, 100)
        except NotAnArray:
            continue
        assert all(pieces)


def test_brackets_and_commas_in_texts_cut_nothing() -> None:
    first = rb'{"a": "},{\"]["}'
    assert split_array(b"[" + first + b",{}]", 10) == [first, b"{}"]


def test_objects_within_lists_of_an_event_stay_in_it() -> None:
    event = b'{"phases":[{"phase":1},{"phase":2}]}'
    assert split_array(b"[" + event + b"," + event + b"]", 10) == [event, event]


def test_an_element_that_is_no_json_is_still_one_element() -> None:
    assert split_array(b'[{"a":1},{bad},{"c":2}]', 10) == [b'{"a":1}', b"{bad}", b'{"c":2}']


def test_it_stops_soon_after_too_many() -> None:
    assert 3 <= len(split_array(b"[" + b"{}," * 10_000 + b"{}]", 2)) <= 4
    assert 3 <= len(split_array(b"[" + b"1," * 10_000 + b"1]", 2)) <= 4


@pytest.mark.parametrize("body", [b"[,]", b"[1,,2]", b"[1", b"1]", b"[[1]", b"[1]]", b"["])
def test_what_is_no_array_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(NotAnArray):
        split_array(body, 10)
