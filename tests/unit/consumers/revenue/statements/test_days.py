"""Lines by day and band: what a person adds up is the statement's exact share."""

from __future__ import annotations

from fractions import Fraction

from consumers.documents.ledger.partnerships import TermsVersion
from consumers.revenue.statements.working import Posting, statement_days


def test_a_day_has_a_line_for_each_band_that_its_postings_moved_through() -> None:
    bands = [{"up_to_halalas": 10_000, "partner_bp": 7_000}, {"up_to_halalas": None, "partner_bp": 3_333}]
    terms = {"bands": bands, "cap": None, "guarantee": None}
    versions = [TermsVersion(version=0, effective_from="2005-01", terms=terms, reason=None, index=0)]
    postings, before = [], 0
    for on, amount in (("2005-01-03", 4_000), ("2005-01-02", 5_000), ("2005-01-03", 2_001), ("2005-01-04", -1_500)):
        postings.append(Posting(1, "R", on, "S1", amount, 0, 0, before, 0, 0))
        before += amount
    assert statement_days(versions, []) == []
    found = statement_days(versions, postings)
    assert [(r.dated_on, r.up_to_halalas, r.postings, r.amount_halalas, r.share_halalas) for r in found] == [
        ("2005-01-02", 10_000, 1, 5_000, 3_500),
        ("2005-01-03", 10_000, 2, 5_000, 3_500),
        ("2005-01-03", None, 1, 1_001, "3336333/10000"),
        ("2005-01-04", 10_000, 1, -499, "-3493/10"),
        ("2005-01-04", None, 1, -1_001, "-3336333/10000"),
    ]
    assert sum(Fraction(row.amount_halalas) for row in found) == before
    assert sum(Fraction(row.share_halalas) for row in found) == Fraction(7, 10) * before
