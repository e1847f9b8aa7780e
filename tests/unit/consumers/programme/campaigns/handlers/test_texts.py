"""Texts of a campaign: both languages, bounded, and no new number by cutting."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from consumers.programme.campaigns.handlers.texts import clip, fill, isolated
from consumers.programme.campaigns.rules.rule import NAME_MAX
from events.values.personal_data import holds_personal_data
from tests.every import every


def test_a_template_is_filled_in_both_languages_and_braces_in_a_name_stay() -> None:
    template = {"ar": "خدمة «{name}» بالقيد {cause}", "en": "Service “{name}” by entry {cause}"}
    assert fill(template, {"name": {"ar": "جوازات", "en": "Passports"}, "cause": "i7", "unused": None}) == {
        "ar": "خدمة «جوازات» بالقيد i7",
        "en": "Service “Passports” by entry i7",
    }
    assert fill({"ar": "{name}", "en": "{name}"}, {"name": "{٣}"}) == {"ar": "{٣}", "en": "{٣}"}
    name = "A\u2069\u202e B"
    found = fill({"ar": "{name}!", "en": "{name}!"}, {"name": name})
    assert found == {"ar": "\u2068A B\u2069!", "en": "A B!"}, "a mark inside a value cannot end its isolation"


@every(
    ("text", "language", "shown"),
    [
        ("Passports", "en", "Passports"),
        ("جوازات", "ar", "جوازات"),
        ("جوازات", "en", "\u2068جوازات\u2069"),
        ("Vision 2030", "ar", "\u2068Vision 2030\u2069"),
        ("https://a.example/?x=1", "ar", "\u2068https://a.example/?x=1\u2069"),
        ("2026-11-01", "ar", "\u20682026-11-01\u2069"),
        ("2026-11-01", "en", "2026-11-01"),
        ("i1042", "ar", "i1042"),
        ("FIVE-YEAR", "ar", "FIVE-YEAR"),
        ("50", "ar", "50"),
    ],
)
def test_a_value_of_the_other_direction_is_isolated(text: str, language: str, shown: str) -> None:
    assert isolated(text, language) == shown


@every("mark", ["\u061c", "\u200e", "\u202a", "\u202e", "\u2066", "\u2069"])
def test_a_mark_between_digits_becomes_a_space_only_where_they_would_form_a_national_id(mark: str) -> None:
    template = {"ar": "«{name}»", "en": "“{name}”"}
    assert fill(template, {"name": f"10000{mark}00008"}) == {"ar": "«10000 00008»", "en": "“10000 00008”"}
    assert fill(template, {"name": f"10000{mark}00009"}) == {"ar": "«1000000009»", "en": "“1000000009”"}


@given(st.text(st.sampled_from("1000000008٠٨a \u200e\u2068\u2069\u061c"), max_size=40))
def test_filling_makes_no_national_id(name: str) -> None:
    assume(not holds_personal_data(name))
    found = fill({"ar": "«{name}» i{name}.", "en": "{name}"}, {"name": name})
    assert not any(map(holds_personal_data, found.values()))


def test_a_text_that_fits_is_left_alone_and_a_longer_one_is_cut_between_words_or_at_the_limit() -> None:
    assert clip("x" * NAME_MAX) == "x" * NAME_MAX
    cut = clip("word " * 1_000)
    assert len(cut) <= NAME_MAX
    assert cut.endswith("word…")
    assert len(clip("١" * 2_000)) == NAME_MAX
    for before in range(NAME_MAX - 30, NAME_MAX):
        cut = clip("." * before + "1000000008" * 3)
        assert "1000000008…" not in cut.replace("1000000008" * 3, ""), "the first ten digits of a longer number"
