"""Texts of events in headers and bodies: what is removed or cut makes no number that was not there."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from consumers.delivery.plain_text import CHARACTERS_MAX, LINES_MAX, line, lines
from events.values.personal_data import holds_personal_data
from tests.every import every


@every("mark", ["\u200b", "\u00ad", "\u200e", "\u2068", "\u2069", "\x00"])
def test_an_invisible_character_becomes_a_space_only_where_digits_would_form_a_national_id(mark: str) -> None:
    assert line(f"No. 10000{mark}00008") == "No. 10000 00008"
    assert line(f"No. 10000{mark}00009") == "No. 1000000009"
    assert lines(f"No. 10000{mark}00008") == ["No. 10000 00008"]


@given(st.text(st.sampled_from("1000000008٠٨a \n\u200b\u200d\u2068\u2069\u061c"), max_size=60))
def test_no_text_without_a_national_id_is_shown_with_one(text: str) -> None:
    assume(not holds_personal_data(text))
    assert not any(map(holds_personal_data, [line(text), line(text, 30), *lines(text)]))


@every(
    ("text", "shown"),
    [
        ("one two three", "one two…"),
        ("onetwothree", "onetwothr…"),
        ("one-twothree", "one-…"),
        ("x 1000000008123", "x…"),
    ],
)
def test_a_longer_line_is_cut_between_words_and_never_gone(text: str, shown: str) -> None:
    assert line(text, 10) == shown


def test_lines_are_bounded_in_number_and_in_characters() -> None:
    assert lines("a\n\n" * 100) == ["a"] * LINES_MAX
    assert lines("x" * 1_500 + "\n" + "y" * 1_500) == ["x" * 1_500, "y" * (CHARACTERS_MAX - 1_500)]
