"""The oracle's accounts, on contracts that a civil servant could follow with a pencil."""

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


def guaranteed(*expected: int, recoverable: bool = True) -> JsonObject:
    return {
        "guarantee": {"partner_floor_bp_of_expected": 5000, "recoverable": recoverable},
        "expected": [{"period": f"2005-0{n}", "amount_halalas": amount} for n, amount in enumerate(expected, 1)],
    }


def signed(**changes: object) -> tuple[str, JsonObject]:
    partner = {"partner_id": "CO", "name": TEXT}
    data = {"partner": partner, "services": ["S"], "legal_basis": TEXT, "signed_on": "2005-01-01"}
    return "partnership.signed", {**data, "terms": terms(**changes)}


def receipt(receipt_id: str, amount: int, day: str) -> tuple[str, JsonObject]:
    data = {"receipt_id": receipt_id, "service_id": "S", "amount_halalas": amount, "collected_on": day, "receipts": 1}
    return "revenue.collected", data


def reversal(reversal_id: str, receipt_id: str, amount: int, day: str) -> tuple[str, JsonObject]:
    data = {"reversal_id": reversal_id, "reverses": receipt_id, "amount_halalas": amount, "reversed_on": day}
    return "revenue.reversed", data | {"reason": TEXT}


def closed(period: str) -> tuple[str, JsonObject]:
    return "revenue.period-closed", {"period": period}


def paid(payout_id: str, amount: int) -> tuple[str, JsonObject]:
    return "revenue.paid-out", {"payout_id": payout_id, "amount_halalas": amount, "paid_on": "2005-04-01"}


def terminated(day: str) -> tuple[str, JsonObject]:
    return "partnership.terminated", {"on": day, "reason": TEXT}


def amended(first: str, **changes: object) -> tuple[str, JsonObject]:
    return "partnership.amended", {"effective_from": first, "terms": terms(**changes), "reason": TEXT}


def told(*facts: tuple[str, JsonObject]) -> Figures:
    events = [make_event(n, "health", SUBJECT, {"partnership_id": "P", **d}, f"e{i}") for i, (n, d) in enumerate(facts)]
    return fold(make_entry(index, event) for index, event in enumerate(events))


def rules(figures: Figures) -> list[tuple[int, str]]:
    return [(anomaly.index, anomaly.rule) for anomaly in figures.anomalies]


def test_a_late_receipt_is_a_prior_period_adjustment_of_the_open_period() -> None:
    figures = told(signed(), closed("2005-01"), receipt("R1", 101, "2005-01-20"), closed("2005-02"))
    statement = figures.statements[1]
    assert (statement["prior_period_halalas"], statement["net_halalas"]) == (101, 101)
    assert (statement["partner_total_halalas"], statement["treasury_total_halalas"]) == (50, 51)
    assert (statement["first_index"], statement["last_index"], statement["closing_index"]) == (2, 2, 3)


def test_a_receipt_of_a_later_period_waits_for_its_own_period() -> None:
    figures = told(signed(), receipt("R1", 10, "2005-02-01"), closed("2005-01"), closed("2005-02"))
    assert [statement["net_halalas"] for statement in figures.statements] == [0, 10]
    assert figures.statements[0]["first_index"] is None


def test_a_top_up_is_recovered_from_later_periods() -> None:
    figures = told(
        signed(**guaranteed(100, 100, 100)),
        closed("2005-01"),
        receipt("R1", 160, "2005-02-01"),
        closed("2005-02"),
        receipt("R2", 400, "2005-03-01"),
        closed("2005-03"),
    )
    tops = [(s["top_up_halalas"], s["recovered_halalas"], s["top_up_outstanding_halalas"]) for s in figures.statements]
    assert tops == [(50, 0, 50), (0, 30, 20), (0, 20, 0)]
    assert figures.balances["guarantee-expense:P"]["balance_halalas"] == 0
    assert sum(account["balance_halalas"] for account in figures.balances.values()) == 0


def test_a_top_up_that_is_not_recoverable_is_never_outstanding() -> None:
    figures = told(signed(**guaranteed(100, 100, 100, recoverable=False)), closed("2005-01"))
    assert figures.statements[0]["top_up_outstanding_halalas"] == 0
    assert figures.balances["guarantee-expense:P"]["debits_halalas"] == 50


def test_a_reversal_within_the_remainder_goes_back_the_way_the_receipt_came() -> None:
    figures = told(
        signed(),
        receipt("R1", 3, "2005-01-10"),
        reversal("V1", "R1", 4, "2005-01-10"),
        reversal("V1", "R1", 3, "2005-01-09"),
        reversal("V1", "R9", 1, "2005-01-10"),
        reversal("V1", "R1", 3, "2006-01-01"),
        reversal("V1", "R1", 1, "2006-01-01"),
    )
    assert rules(figures) == [
        (2, "exceeds-remainder"), (3, "not-allowed-now"), (4, "unknown-receipt"), (6, "already-reversed"),
    ]  # fmt: skip
    assert figures.balances["partner-payable:P"] == {"debits_halalas": 1, "credits_halalas": 1, "balance_halalas": 0}


def test_the_share_of_a_contract_year_starts_anew_at_the_anniversary() -> None:
    bands = [{"up_to_halalas": 100, "partner_bp": 10_000}, {"up_to_halalas": None, "partner_bp": 0}]
    figures = told(
        signed(ends_on="2006-03-05", tier_basis="contract-year", bands=bands),
        receipt("R1", 150, "2006-01-09"),
        receipt("R2", 150, "2006-01-10"),
    )
    assert figures.plan["partnerships"][0]["partner_halalas"] == 200


def test_payouts_are_limited_by_what_closed_periods_gave() -> None:
    figures = told(
        signed(), receipt("R1", 100, "2005-01-10"), paid("O1", 1), closed("2005-01"), paid("O1", 50), paid("O2", 1)
    )
    assert rules(figures) == [(2, "exceeds-payable"), (5, "exceeds-payable")]
    assert figures.balances["cash:P"]["credits_halalas"] == 50


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
