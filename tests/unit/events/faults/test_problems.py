"""Every code is explained in both languages."""

from __future__ import annotations

from events.faults.problems import CODES, PROBLEMS, title_of
from tests.contract.product_texts import ARABIC


def test_every_code_has_its_title_and_remedy() -> None:
    assert list(PROBLEMS) == list(CODES)
    for code in CODES:
        for text in PROBLEMS[code]:
            assert text.en
            assert ARABIC.search(text.ar)
        assert title_of(code) == PROBLEMS[code].title
