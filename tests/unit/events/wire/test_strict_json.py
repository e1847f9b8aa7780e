"""Reading with care keeps what quick parsers lose."""

from __future__ import annotations

import pytest

from events.wire.strict_json import BEYOND_RANGE, Unreadable, read_json


def test_huge_integers_are_seen_without_their_digits() -> None:
    raw = b"[9007199254740991,9007199254740992,-9007199254740992,%b,-0]" % (b"9" * 5000)
    value = read_json(raw, expect_object=False)
    assert value == [2**53 - 1, BEYOND_RANGE, -BEYOND_RANGE, BEYOND_RANGE, 0]


def test_fractions_stay_fractions_so_that_no_integer_is_made_of_them() -> None:
    values = read_json(b"[100.0,1e2,1e999,1]", expect_object=False)
    assert [isinstance(value, float) for value in values] == [True, True, True, False]
    assert type(values[3]) is int


def test_numbers_that_no_field_takes_show_how_they_were_written() -> None:
    values = read_json(b"[1e2,9007199254740992,-9007199254740992,%b]" % (b"9" * 5000), expect_object=False)
    assert [str(value) for value in values] == ["1e2", "9007199254740992", "-9007199254740992", "9" * 30 + "…"]


def test_lone_surrogates_are_kept_for_the_judgement() -> None:
    assert read_json(b'["\\ud800"]', expect_object=False) == ["\ud800"]


def test_what_is_not_json_hides_a_name_twice() -> None:
    with pytest.raises(Unreadable) as stop:
        read_json(b'{"a":{"b":1,"b":2},}')
    assert stop.value.finding.code == "not-json"


def test_brackets_in_texts_are_no_levels() -> None:
    assert read_json(b'{"a":"\\"[[[[[[[[[[[[[[[[[[[["}') == {"a": '"[[[[[[[[[[[[[[[[[[[['}
