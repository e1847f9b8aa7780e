from __future__ import annotations

import pytest

from events.values.reading_order import folded


@pytest.mark.parametrize(
    ("written", "searched"),
    [
        ("سَارَة", "ساره"),
        ("أحمد إبراهيم آل ٱلسيد", "احمد ابراهيم ال السيد"),
        ("مصطفى", "مصطفي"),
        ("عبـــد", "عبد"),
        ("\u2067سارة\u2069-\u200fأحمد", "ساره احمد"),
        ("SARA  Al-Ghamdi", "sara al ghamdi"),
        ("Zoë", "zoe"),
        ("٠٥٠ ۱۲۳", "050 123"),
        ("ﻣﺤﻤﺪ", "محمد"),  # presentation forms
    ],
)
def test_spellings_of_one_word_are_the_same(written: str, searched: str) -> None:
    assert folded(written) == searched
    assert folded(searched) == searched
