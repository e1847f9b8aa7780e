"""A contract in words: every version says what it changes, in Arabic and English."""

from __future__ import annotations

from typing import Any

from consumers.documents.document import document_of
from consumers.documents.ledger.partnerships import PartnershipAndRevenue
from consumers.revenue.statements.words import terms_in_words
from tests.isolates import without_isolates
from tests.world.entries import TEXT
from tests.world.ledger import terms
from tests.world.partnership import DOCUMENT


def partnership(*versions: tuple[dict[str, Any], int]) -> PartnershipAndRevenue:
    """Terms, and what is expected under them. The first is as signed; the others are amendments from 2005-03 on."""
    agreed = [
        {
            "version": number,
            "effective_from": "2005-03" if number else "2005-01",
            "index": 4 * number,
            "reason": TEXT if number else None,
            "terms": {name: value for name, value in given.items() if name != "expected"},
            "expected_halalas": expected,
        }
        for number, (given, expected) in enumerate(versions)
    ]
    return document_of(PartnershipAndRevenue, DOCUMENT, versions=agreed, expected=())


def test_each_version_says_how_long_the_term_is_and_what_is_expected_in_both_languages() -> None:
    own = partnership((terms(), 0), (terms(ends_on="2006-12-31"), 1_000_000))
    said = [sentence.en for sentence in terms_in_words(own, {})]
    first, second = (number for number, sentence in enumerate(said) if sentence.startswith("Version "))
    assert said[first + 1 : first + 3] == [
        "The term runs to 2005-12-31 (1426-11-29 AH).",
        "No revenue is expected from period 2005-01 on.",
    ]
    assert said[second + 1 : second + 3] == [
        "The term runs to 2006-12-31 (1427-12-10 AH).",
        "The expected revenue from period 2005-03 on is SAR 10,000.00 in all.",
    ]
    arabic = [
        without_isolates(sentence.ar) for sentence in terms_in_words(partnership((terms(), 0), (terms(), 100_000)), {})
    ]
    assert arabic.count("تمتد مدة العقد إلى 2005-12-31 (1426-11-29 هـ).") == 2
    assert "لا إيراد متوقع من الفترة 2005-01." in arabic
    assert "مجموع الإيراد المتوقع من الفترة 2005-03: 1,000.00 ريال." in arabic
