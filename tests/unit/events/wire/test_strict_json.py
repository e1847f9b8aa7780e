"""Reading with care keeps what quick parsers lose."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.validation.verdicts import Agency
from events.wire.strict_json import BEYOND_RANGE, Unreadable, read_json, read_strictly
from tests.every import every
from tests.unit.events.mutations import mutated_bytes, mutated_trees


def test_numbers_that_no_field_takes_are_seen_and_show_how_they_were_written() -> None:
    raw = b"[9007199254740991,9007199254740992,-9007199254740992,%b,-0]" % (b"9" * 5000)
    value, written, is_canonical = read_json(raw, expect_object=False)
    assert written is not None
    assert not is_canonical
    assert value == [2**53 - 1, BEYOND_RANGE, -BEYOND_RANGE, BEYOND_RANGE, 0]
    assert [str(number) for number in value[1:4]] == ["9007199254740992", "-9007199254740992", "9" * 30 + "…"]
    values, _, _ = read_json(b"[100.0,1e2,1e999,1]", expect_object=False)
    assert [isinstance(number, float) for number in values] == [True, True, True, False], "no integer is made of them"
    assert (type(values[3]), str(values[1])) == (int, "1e2")


def test_half_surrogates_brackets_in_texts_and_a_name_twice_are_what_they_are() -> None:
    assert read_json(b'["\\ud800"]', expect_object=False) == (["\ud800"], None, False)
    assert read_json(b'{"a":"\\"[[[[[[[[[[[[[[[[[[[["}')[0] == {"a": '"[[[[[[[[[[[[[[[[[[[['}
    with pytest.raises(Unreadable) as stop:
        read_json(b'{"a":{"b":1,"b":2},}')
    assert stop.value.finding.code == "not-json", "which hides the name"


def reading_of(read: Any, raw: bytes, expect_object: bool) -> Any:
    """What is read, with the type of each scalar; or the fault."""
    try:
        return kinds_in(read(raw, depth_max=16, expect_object=expect_object))
    except Unreadable as stop:
        return stop.finding


def fast_reading(raw: bytes, depth_max: int, expect_object: bool) -> Any:
    """The value; what is written of it is canonical but for fractions, huge integers and half surrogates."""
    value, written, is_canonical = read_json(raw, depth_max=depth_max, expect_object=expect_object)
    try:
        expected = orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError:
        expected = None
    assert (written if is_canonical else None) == expected
    return value


def kinds_in(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: kinds_in(item) for name, item in value.items()}
    return [kinds_in(item) for item in value] if isinstance(value, list) else (type(value), value)


@settings(max_examples=600, deadline=None)
@given(mutated_trees() | mutated_bytes(), st.booleans())
def test_the_fast_reading_reads_what_the_strict_one_reads(case: tuple[bytes, Agency], expect_object: bool) -> None:
    raw, _ = case
    assert reading_of(fast_reading, raw, expect_object) == reading_of(read_strictly, raw, expect_object)


@every("objects", [2, 20, 400])
@every("levels", [1, 12, 13, 14, 15, 16])
def test_the_depth_is_exact_beside_long_lists_of_objects(levels: int, objects: int) -> None:
    lists = b"[" + b",".join([b'{"a":[{},{}],"},{":"},{},{"}'] * objects) + b"]"
    raw = b'{"b":%b,"c":%b%b,"d":%b}' % (lists, b"[" * levels, b"]" * levels, lists)
    assert reading_of(fast_reading, raw, True) == reading_of(read_strictly, raw, True)
    assert isinstance(reading_of(fast_reading, raw, True), dict) == (levels < 16)


TOKENS = [
    "{", "}", "[", "]", ",", ":", '"', '"a"', '"b":', '"\\\\":', '"\\":', "\\", "1", "-0", "1.5", "1e2", "9" * 17,
    "9" * 5000, " ", "\n", "\0", "\x0c", "true", "nul", "NaN", "\\ud800", "\\u0061", "\ufeff", "é", "٣",
]  # fmt: skip


@settings(max_examples=1_000, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=14).map("".join))
def test_the_fast_reading_agrees_on_any_row_of_tokens(text: str) -> None:
    for raw in (text.encode(), b"{%b}" % text.encode(), b"[" * 14 + text.encode() + b"]" * 14):
        assert reading_of(fast_reading, raw, False) == reading_of(read_strictly, raw, False)
