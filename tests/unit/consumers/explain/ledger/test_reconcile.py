"""Reconciliation: every row and every entry has one finding with its reason, and money is never matched twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.documents.ledger.ledger import Finding, FindingKind
from consumers.explain.ledger.reconcile import FileRow, reconcile, totals, type_of
from consumers.explain.ledger.what_if import NothingSigned
from infra.errors import WrongInput
from tests.every import every
from tests.isolates import without_isolates
from tests.world.partnership import History

COLLECTED = "revenue.collected"


def row(line: int, amount: Any, on: Any, receipt_id: str | None = None, **more: Any) -> FileRow:
    named = {} if receipt_id is None else {"receipt_id": receipt_id}
    return FileRow(line, {"amount_halalas": amount, "collected_on": on, **named, **more})


def kinds(findings: list[Finding]) -> list[tuple[str, int | None, int | None]]:
    return [(finding.kind.value, finding.line, finding.index) for finding in findings]


def said(finding: Finding) -> str | None:
    return without_isolates(finding.reason.en) if finding.reason else None


LOG = History((100, "2005-01-05"), (200, "2005-01-06"), (300, "2005-01-07"), (300, "2005-01-07"), (9, "2005-06-01"))
"""Receipts R1 to R5, entries 1 to 5."""


def test_rows_with_an_id_are_matched_by_it() -> None:
    rows = [
        row(2, 100, "2005-01-05", "R1"),
        row(3, 201, "2005-01-06", "R2"),
        row(4, 300, "2005-01-08", "R3"),
        row(5, 100, "2005-01-05", "R1"),
        row(6, 50, "2005-01-05", "R99"),
    ]
    findings = reconcile(COLLECTED, rows, LOG.raw())
    assert kinds(findings) == [
        ("matched", 2, 1),
        ("different", 3, 2),
        ("different", 4, 3),
        ("doubled", 5, None),
        ("missing-in-log", 6, None),
        ("missing-in-file", None, 4),
    ], "R5 lies outside the days of the file"
    assert [said(finding) for finding in findings[1:4]] == [
        "The amount is 2.01 in the file and 2.00 in the log.",
        "The date is 2005-01-08 in the file and 2005-01-07 in the log.",
        "Line 2 has the same id.",
    ]
    assert totals(findings)[FindingKind.DIFFERENT] == 2


def test_rows_of_a_bank_without_ids_are_matched_by_date_and_amount_each_entry_once() -> None:
    rows = [row(line, 300, "2005-01-07") for line in (2, 3, 4)] + [row(5, 100, "2005-01-05"), row(6, 7, "2005-01-05")]
    findings = reconcile(COLLECTED, rows, LOG.raw())
    assert kinds(findings) == [
        ("matched", 2, 3),
        ("matched", 3, 4),
        ("doubled", 4, None),
        ("matched", 5, 1),
        ("missing-in-log", 6, None),
        ("missing-in-file", None, 2),
    ]
    assert said(findings[2]) == (
        "Line 2 has the same date and amount, and the log has no other entry of them: the line is doubled, or its entry"
        " was not sent."
    )


def test_an_entry_that_a_row_names_is_not_matched_by_the_sum_of_another_and_does_not_make_it_doubled() -> None:
    rows = [row(2, 100, "2005-01-05"), row(3, 100, "2005-01-05", "R1"), row(4, 100, "2005-01-05")]
    assert kinds(reconcile(COLLECTED, rows, LOG.raw())) == [
        ("missing-in-log", 2, None),
        ("matched", 3, 1),
        ("doubled", 4, None),
    ]
    differs = [row(2, 999, "2005-01-05", "R1"), row(3, 100, "2005-01-05")]
    assert [kind for kind, *_ in kinds(reconcile(COLLECTED, differs, LOG.raw()))] == ["different", "missing-in-log"]


@every("on", ["10/01/2005", "٢٠٠٥-٠١-٠٥", "2005-02-30", "20050105", "1425-11-24", ""])
@every("receipt_id", ["R1", None])
def test_a_date_that_is_not_a_day_is_unreadable_and_does_not_stretch_the_days_of_the_file(
    on: str, receipt_id: str | None
) -> None:
    rows = [row(2, 100, on, receipt_id), row(3, 200, "2005-01-06"), row(4, 300, "2005-01-07")]
    findings = reconcile(COLLECTED, rows, LOG.raw())
    assert kinds(findings) == [
        ("unreadable", 2, None if receipt_id is None else 1),
        ("matched", 3, 2),
        ("matched", 4, 3),
        ("missing-in-file", None, 4),
    ], "the later entry of June is not missing in the file"
    assert said(findings[0]) == f"The date {on!r} cannot be read: write it like 2005-01-10."


@every(
    ("faulty", "reason"),
    [
        (row(2, "١٢٥", "2005-01-05", "R1"), "The amount '١٢٥' cannot be read: write it like 1250.00."),
        (row(2, "12,5", "2005-01-05", "R1"), "The amount '12,5' cannot be read: write it like 1250.00."),
        (row(2, None, "2005-01-05", "R1"), "The row has no amount."),
        (row(2, True, "2005-01-05", "R1"), "The amount True cannot be read: write it like 1250.00."),
        (row(2, 100, None, "R1"), "The row has no date: delete it if it is a total."),
        (
            row(2, 100, "2005-01-05", "R1", currency="USD"),
            "The currency USD is not a known name of the Saudi riyal: only riyals are compared, written SAR.",
        ),
        (
            row(2, 100, "2005-01-05", "R1", currency=["SAR"]),
            "The currency ['SAR'] is not a known name of the Saudi riyal: only riyals are compared, written SAR.",
        ),
    ],
)
def test_a_row_that_cannot_be_compared_says_why(faulty: FileRow, reason: str) -> None:
    (finding, *_) = reconcile(COLLECTED, [faulty], LOG.raw())
    assert (finding.kind.value, finding.index, said(finding)) == ("unreadable", 1, reason)


def test_an_amount_of_another_currency_is_never_one_of_halalas() -> None:
    dollars = row(2, 100, "2005-01-05", "R1", currency="USD"), row(3, 100, "2005-01-05", "R1", currency="USD")
    findings = reconcile(COLLECTED, dollars, LOG.raw())[:2]
    assert [(one.kind.value, one.file_halalas) for one in findings] == [("unreadable", None), ("doubled", None)]


def test_riyals_are_named_by_their_code_or_in_arabic() -> None:
    names = ("SAR", "ر.س", "ر.س.", "ريال", "ريال سعودي", " ريال  سعودي ", "﷼", "\u20c1")
    for currency in names:
        (finding, *_) = reconcile(COLLECTED, [row(2, 100, "2005-01-05", "R1", currency=currency)], LOG.raw())
        assert finding.kind is FindingKind.MATCHED, currency


def test_an_entry_that_does_not_count_is_a_difference_with_the_rule_and_is_found_after_those_that_do() -> None:
    history = History()
    history.collect(5, "2005-01-06", service="other")
    history.collect(5, "2005-01-06")
    findings = reconcile(COLLECTED, [row(line, 5, "2005-01-06") for line in (2, 3, 4)], history.raw())
    assert kinds(findings) == [("matched", 2, 2), ("different", 3, 1), ("doubled", 4, None)]
    (named, *_) = reconcile(COLLECTED, [row(2, 5, "2005-01-06", "R1")], history.raw())
    assert (named.kind.value, named.index) == ("different", 1)
    for finding in (findings[1], named):
        assert said(finding) == "Entry 1 does not count. The service is not one of the contract's."
        assert finding.id == "R1"


def test_the_mapping_names_what_its_rows_are_and_a_partnership_that_nobody_signed_is_not_known() -> None:
    assert type_of({"type": "sa.gov.yesser.revenue.paid-out.v1"}) == "revenue.paid-out"
    for document in ({}, {"type": "sa.gov.yesser.service.launched.v1"}, {"type": 5}):
        with pytest.raises(WrongInput, match="/type"):
            type_of(document)
    with pytest.raises(NothingSigned, match="yesser ledger partnerships"):
        reconcile(COLLECTED, [row(2, 100, "2005-01-05")], [])


DAYS = [f"2005-01-0{day}" for day in range(1, 6)]
SUMS = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(DAYS)), max_size=12)


@settings(deadline=None, max_examples=50)
@given(SUMS, SUMS)
def test_without_ids_what_matches_is_what_both_sides_have(in_log: Any, in_file: Any) -> None:
    findings = reconcile(COLLECTED, [row(n, *sum_) for n, sum_ in enumerate(in_file)], History(*in_log).raw())
    matched = [(finding.log_halalas, finding.dated_on) for finding in findings if finding.kind is FindingKind.MATCHED]
    assert Counter(matched) == Counter(in_log) & Counter(in_file)
    indexes = [finding.index for finding in findings if finding.index is not None]
    assert len(indexes) == len(set(indexes))
    missing = [(f.file_halalas, f.dated_on) for f in findings if f.kind.value in ("missing-in-log", "doubled")]
    assert Counter(missing) == Counter(in_file) - Counter(in_log)
