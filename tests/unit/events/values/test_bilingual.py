"""A value in an Arabic sentence cannot turn it round, whatever it holds."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from events.values.bilingual import Bilingual, counted, in_lines, isolates_are_closed, joined
from tests.every import every

SENTENCE = Bilingual("القيد {} من {}.", "Entry {} of {}.")


@every(
    ("value", "in_arabic", "in_english"),
    [
        ("health", "\u2068health\u2069", "health"),
        ("2005-03-01", "\u20682005-03-01\u2069", "2005-03-01"),
        (-5, "\u2068-5\u2069", "-5"),
        ("70.5%", "\u206870.5%\u2069", "70.5%"),
        (1_234, "1234", "1234"),
        ("1,234.50", "1,234.50", "1,234.50"),
        ("08:15", "08:15", "08:15"),
        ("وزارة الصحة", "وزارة الصحة", "\u2068وزارة الصحة\u2069"),
        ("خدمة Absher", "\u2068خدمة Absher\u2069", "\u2068خدمة Absher\u2069"),
        ("yesser campaigns air C-1 …", "yesser campaigns air C-1 …", "yesser campaigns air C-1 …"),
        ("yesser a\u202eb", "\u2068yesser a\u202eb\u2069", "\u2068yesser a\u202eb\u2069"),
        ("", "", ""),
        (Bilingual("الصحة", "Health"), "الصحة", "Health"),
        (Bilingual("Absher", "أبشر"), "\u2067Absher\u2069", "\u2066أبشر\u2069"),
        ("a\u2069b", "\u2068a b\u2069", "\u2068a b\u2069"),
        ("a\u2068b\u2069", "\u2068a\u2068b\u2069\u2069", "\u2068a\u2068b\u2069\u2069"),
        ("a\u202eb", "\u2068a\u202eb\u2069", "\u2068a\u202eb\u2069"),
    ],
)
def test_a_value_that_would_turn_the_sentence_is_isolated(value: object, in_arabic: str, in_english: str) -> None:
    expected = Bilingual(f"القيد 7 من {in_arabic}.", f"Entry 7 of {in_english}.")
    assert SENTENCE.format(7, value) == expected


def test_a_value_has_its_own_form_in_each_text() -> None:
    text = Bilingual("{count:,} من {name!r}، {name}", "{name}: {count:,}").format(count=1_200, name="x")
    assert text == Bilingual("1,200 من \u2068'x'\u2069، \u2068x\u2069", "x: 1,200")


def test_a_list_is_read_in_the_direction_of_the_language() -> None:
    assert joined(["tv", 7]) == Bilingual("\u2068tv\u2069، 7", "tv, 7")
    assert joined([]) == Bilingual("", "")
    listed = Bilingual("عبر {}", "on {}").format(joined(["tv", "radio"]))
    assert listed == Bilingual("عبر \u2067\u2068tv\u2069، \u2068radio\u2069\u2069", "on tv, radio")


def test_sentences_stand_below_each_other_in_each_language() -> None:
    assert in_lines([Bilingual("أ", "a"), Bilingual("ب", "b")]) == Bilingual("أ\nب", "a\nb")


@every(
    ("number", "text"),
    [
        (1, "يوم واحد"),
        (2, "يومان"),
        (3, "3 أيام"),
        (10, "10 أيام"),
        (11, "11 يومًا"),
        (100, "100 يومًا"),
        (103, "103 أيام"),
    ],
)
def test_a_noun_has_the_form_of_its_number(number: int, text: str) -> None:
    assert counted(number, "يوم واحد", "يومان", "أيام", "يومًا") == text


@given(st.text(st.sampled_from("aأ1 .\u2066\u2068\u2069\u202e\n"), max_size=20))
def test_no_value_ends_its_isolation_or_reaches_beyond_it(value: str) -> None:
    text = SENTENCE.format(value, "x")
    for shown in (text.ar, text.en):
        assert isolates_are_closed(shown)
    inside = text.ar.removeprefix("القيد ").rpartition(" من ")[0]
    if any(unicodedata.bidirectional(character) in ("L", "RLO") for character in inside):
        assert inside.startswith("\u2068")
        assert inside.endswith("\u2069")
