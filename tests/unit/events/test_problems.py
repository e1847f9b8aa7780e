"""Every code and every sentence is there in both languages."""

from __future__ import annotations

import pytest

from events.problems import CODES, DETAILS, PROBLEMS, arabic_of, fault, title_of


def test_every_code_has_its_title_and_remedy() -> None:
    assert list(PROBLEMS) == list(CODES)
    for code in CODES:
        for text in PROBLEMS[code]:
            assert text.en
            assert _is_arabic(text.ar)
        assert title_of(code) == PROBLEMS[code].title


@pytest.mark.parametrize("detail", DETAILS)
def test_every_sentence_has_its_arabic(detail: str) -> None:
    assert _is_arabic(arabic_of(detail)), detail


def test_a_sentence_outside_the_table_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        fault("conflict", "", "Something was wrong with 1064971268.")


def _is_arabic(text: str) -> bool:
    return any("\u0600" <= letter <= "\u06ff" for letter in text)
