"""Texts of a campaign: both languages, bounded, and no new number by cutting."""

from __future__ import annotations

from consumers.campaigns.handlers.texts import PART_CHARACTERS_MAX, clip, fill


def test_a_template_is_filled_in_both_languages() -> None:
    template = {"ar": "خدمة «{name}» بالقيد {cause}", "en": "Service “{name}” by entry {cause}"}
    assert fill(template, {"name": {"ar": "جوازات", "en": "Passports"}, "cause": "i7", "unused": None}) == {
        "ar": "خدمة «جوازات» بالقيد i7",
        "en": "Service “Passports” by entry i7",
    }


def test_braces_in_a_name_stay_as_they_are() -> None:
    assert fill({"ar": "{name}", "en": "{name}"}, {"name": "{cause}"}) == {"ar": "{cause}", "en": "{cause}"}


def test_a_text_that_fits_is_left_alone() -> None:
    assert clip("x" * PART_CHARACTERS_MAX) == "x" * PART_CHARACTERS_MAX


def test_a_longer_text_is_cut_between_words() -> None:
    text = "word " * 1_000
    cut = clip(text)
    assert len(cut) <= PART_CHARACTERS_MAX
    assert cut.endswith("word…")


def test_a_cut_never_leaves_the_first_ten_digits_of_a_longer_number() -> None:
    for before in range(PART_CHARACTERS_MAX - 30, PART_CHARACTERS_MAX):
        cut = clip("." * before + "1000000008" * 3)
        assert "1000000008…" not in cut.replace("1000000008" * 3, "")


def test_one_endless_run_is_cut_at_the_limit() -> None:
    cut = clip("١" * 2_000)
    assert len(cut) == PART_CHARACTERS_MAX
