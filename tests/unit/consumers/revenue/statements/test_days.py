"""Lines by day and band: what a person adds up is the statement's exact share."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from consumers.documents.ledger.partnerships import TermsVersion
from consumers.revenue.statements.days import statement_days
from consumers.revenue.statements.working import Posting

VERSIONS: Final = [
    TermsVersion(
        version=0,
        effective_from="2005-01",
        terms={
            "bands": [{"up_to_halalas": 10_000, "partner_bp": 7_000}, {"up_to_halalas": None, "partner_bp": 3_333}],
            "cap": None,
            "guarantee": None,
        },
        reason=None,
        index=0,
    )
]


def posting(index: int, on: str, amount: int, before: int) -> Posting:
    return Posting(index, f"R{index}", on, "S1", amount, 0, 0, before, 0, 0)


def test_a_day_has_a_line_for_each_band_that_its_postings_moved_through() -> None:
    postings = [
        posting(1, "2005-01-03", 4_000, 0),
        posting(2, "2005-01-02", 5_000, 4_000),
        posting(3, "2005-01-03", 2_001, 9_000),
        posting(4, "2005-01-04", -1_500, 11_001),
    ]
    assert statement_days(VERSIONS, []) == []
    found = statement_days(VERSIONS, postings)
    assert [
        (row.dated_on, row.up_to_halalas, row.postings, row.amount_halalas, row.share_halalas) for row in found
    ] == [
        ("2005-01-02", 10_000, 1, 5_000, 3_500),
        ("2005-01-03", 10_000, 2, 5_000, 3_500),
        ("2005-01-03", None, 1, 1_001, "3336333/10000"),
        ("2005-01-04", 10_000, 1, -499, "-3493/10"),
        ("2005-01-04", None, 1, -1_001, "-3336333/10000"),
    ]
    assert sum(Fraction(row.amount_halalas) for row in found) == sum(row.amount_halalas for row in postings)
    assert sum(Fraction(row.share_halalas) for row in found) == Fraction(7, 10) * 9_501
