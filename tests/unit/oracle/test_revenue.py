"""The oracle's accounts, where generated logs seldom lead: ends of terms, amendments, bounds, and what comes first.

Transfers, statements, guarantees and payouts are compared with the ledger's in `test_generated_logs.py`.
"""

from __future__ import annotations

from tests.oracle.fold import Figures, fold
from tests.oracle.log import JsonObject, make_entry, make_event

TEXT = {"ar": "نص", "en": "text"}
SUBJECT = "partnership/P"


def terms(**changes: object) -> JsonObject:
    plain: JsonObject = {
        "starts_on": "2005-01-10", "ends_on": "2005-03-05", "calendar": "gregorian", "period": "month",
        "tier_basis": "lifetime", "bands": [{"up_to_halalas": None, "partner_bp": 5000}], "cap": None,
        "guarantee": None, "expected": [],
    }  # fmt: skip
    return plain | changes


def signed(**changes: object) -> tuple[str, JsonObject]:
    partner = {"partner_id": "CO", "name": TEXT}
    data = {"partner": partner, "services": ["S"], "legal_basis": TEXT, "signed_on": "2005-01-01"}
    return "partnership.signed", {**data, "terms": terms(**changes)}


def receipt(receipt_id: str, amount: int, day: str) -> tuple[str, JsonObject]:
    data = {"receipt_id": receipt_id, "service_id": "S", "amount_halalas": amount, "collected_on": day, "receipts": 1}
    return "revenue.collected", data


def closed(period: str) -> tuple[str, JsonObject]:
    return "revenue.period-closed", {"period": period}


def terminated(day: str) -> tuple[str, JsonObject]:
    return "partnership.terminated", {"on": day, "reason": TEXT}


def amended(first: str, **changes: object) -> tuple[str, JsonObject]:
    return "partnership.amended", {"effective_from": first, "terms": terms(**changes), "reason": TEXT}


def told(*facts: tuple[str, JsonObject]) -> Figures:
    events = [make_event(n, "health", SUBJECT, {"partnership_id": "P", **d}, f"e{i}") for i, (n, d) in enumerate(facts)]
    return fold(make_entry(index, event) for index, event in enumerate(events))


def rules(figures: Figures) -> list[tuple[int, str]]:
    return [(anomaly.index, anomaly.rule) for anomaly in figures.anomalies]


def test_the_share_of_a_contract_year_starts_anew_at_the_anniversary() -> None:
    bands = [{"up_to_halalas": 100, "partner_bp": 10_000}, {"up_to_halalas": None, "partner_bp": 0}]
    figures = told(
        signed(ends_on="2006-03-05", tier_basis="contract-year", bands=bands),
        receipt("R1", 150, "2006-01-09"),
        receipt("R2", 150, "2006-01-10"),
    )
    assert figures.plan["partnerships"][0]["partner_halalas"] == 200


def test_termination_cuts_the_term_and_what_is_dated_before_still_counts() -> None:
    figures = told(
        signed(),
        receipt("R1", 10, "2005-02-10"),
        terminated("2005-02-09"),
        terminated("2005-02-10"),
        receipt("R2", 10, "2005-02-10"),
        receipt("R3", 10, "2005-02-11"),
        closed("2005-01"),
        closed("2005-02"),
        closed("2005-03"),
        amended("2005-03"),
        terminated("2005-02-10"),
    )
    assert rules(figures) == [
        (2, "not-allowed-now"),
        (5, "not-allowed-now"),
        (8, "period-closed-out-of-order"),
        (9, "not-allowed-now"),
        (10, "already-terminated"),
    ]
    assert figures.plan["partnerships"][0]["open_period"] is None


def test_an_amendment_may_extend_a_contract_whose_periods_are_all_closed() -> None:
    figures = told(
        signed(),
        *(closed(f"2005-0{month}") for month in (1, 2, 3)),
        receipt("R1", 1, "2005-01-10"),
        amended("2005-03", ends_on="2005-04-30"),
        amended("2005-04", ends_on="2005-04-30", period="quarter"),
        amended("2005-05", ends_on="2005-04-30"),
        amended("2005-04", ends_on="2005-04-30", bands=[{"up_to_halalas": None, "partner_bp": 10_000}]),
        receipt("R1", 10, "2005-01-10"),
        receipt("R2", 10, "2005-04-10"),
        closed("2005-04"),
    )
    assert rules(figures) == [(index, "not-allowed-now") for index in (4, 5, 6, 7)]
    last = figures.statements[-1]
    # The late receipt is priced by the version of its own period, the other by the amendment.
    assert (last["contract_version"], last["partner_base_halalas"], last["prior_period_halalas"]) == (1, 15, 10)


def test_a_hundred_amendments_of_a_contract_count_and_no_more() -> None:
    figures = told(signed(), *[amended("2005-02")] * 101, terminated("2005-03-01"))
    assert rules(figures) == [(101, "not-allowed-now")]


def test_the_sum_of_all_receipts_stays_within_the_safe_integers() -> None:
    figures = told(signed(), receipt("R1", 2**53 - 1, "2005-01-10"), receipt("R2", 1, "2005-01-10"))
    assert rules(figures) == [(2, "not-allowed-now")]


def test_the_first_rule_that_applies_is_the_one_that_is_listed() -> None:
    figures = told(
        receipt("R0", 1, "2005-01-10"),
        signed(),
        signed(),
        receipt("R1", 1, "2005-01-10"),
        receipt("R1", 1, "1999-01-01"),
        ("revenue.collected", receipt("R2", 1, "1999-01-01")[1] | {"service_id": "T"}),
        closed("2005-02"),
        closed("2005-01"),
        closed("2005-01"),
        closed("1425-12"),
    )
    assert rules(figures) == [
        (0, "unknown-partnership"), (2, "already-signed"), (4, "already-collected"), (5, "unknown-service"),
        (6, "period-closed-out-of-order"), (8, "already-closed"), (9, "period-closed-out-of-order"),
    ]  # fmt: skip
