"""Signed, amended, terminated, reassigned (R1–R3, R5, R10): events in, rules and rows out."""

from __future__ import annotations

from typing import Any

from tests.every import every
from tests.world.ledger import Ledger, months, signed

FORTY = [{"up_to_halalas": None, "partner_bp": 4000}]


def test_only_the_owner_signs_again_amends_and_terminates_and_a_reassignment_makes_another_the_owner() -> None:
    ledger = signed()
    contract = ledger.contract()
    assert (contract.owner, contract.first_period, contract.last_period) == ("health", "2005-01", "2005-12")
    assert contract.open_period == "2005-01"
    assert ledger.sign() == "already-signed"
    assert ledger.sign("justice") == "not-owner"
    assert ledger.amend("2005-02", agency="justice") == "not-owner"
    assert ledger.terminate("2005-02-01", agency="justice") == "not-owner"
    assert ledger.reassign("justice") is None
    assert ledger.sign() == "not-owner"
    assert ledger.sign("justice") == "already-signed"
    assert ledger.collect("R1", 10, "2005-01-05") == "not-owner"
    assert ledger.collect("R1", 10, "2005-01-05", agency="justice") is None


def test_of_an_unknown_partnership_nothing_counts_and_no_id_is_claimed() -> None:
    ledger = Ledger()
    told = (
        ledger.amend("2005-02"),
        ledger.terminate("2005-02-01"),
        ledger.reassign("justice"),
        ledger.close("2005-01"),
        ledger.pay("O1", 1),
        ledger.collect("R1", 10, "2005-01-06"),
    )
    assert set(told) == {"unknown-partnership"}
    assert ledger.store.state().keys() == {"anomaly", "anomaly_count"}
    ledger.sign()
    assert ledger.collect("R1", 10, "2005-01-06") is None
    assert ledger.collect("R1", 10, "2005-01-07") == "already-collected"


def test_an_amendment_prices_from_its_period_on_and_the_latest_in_log_order_wins() -> None:
    ledger = signed()
    ledger.collect("R1", 100, "2005-01-05")
    assert ledger.amend("2005-05", bands=FORTY) is None
    assert ledger.amend("2005-03", bands=[{"up_to_halalas": None, "partner_bp": 1000}]) is None
    for number, month in enumerate(("02", "03", "06"), 2):
        ledger.collect(f"R{number}", 100, f"2005-{month}-05")
    partner = [row[-1] for row in ledger.transfers() if row[1] == "receipt-partner"]
    assert partner == [70, 70, 10, 10]
    assert ledger.contract().versions == ["2005-01", "2005-05", "2005-03"]


@every(
    ("label", "changes"),
    [
        ("2005-03", {"starts_on": "2005-01-02"}),
        ("2005-03", {"calendar": "umm-al-qura"}),
        ("2005-03", {"period": "quarter"}),
        ("2005-03", {"tier_basis": "contract-year"}),
        *((label, {"bands": FORTY}) for label in ("2004-12", "2006-01", "2005-Q2", "1426-03")),
    ],
)
def test_an_amendment_moves_no_date_and_starts_in_a_period_of_its_term(label: str, changes: dict[str, Any]) -> None:
    assert signed().amend(label, **changes) == "not-allowed-now"


def test_an_amendment_cannot_reach_a_closed_period_nor_one_with_counted_revenue_in_it_or_later() -> None:
    ledger = signed()
    ledger.close("2005-01")
    assert ledger.amend("2005-01", bands=FORTY) == "not-allowed-now"
    ledger.collect("R1", 100, "2005-04-30")
    ledger.reverse("V1", "R1", 1, "2005-06-01")
    assert ledger.amend("2005-04", bands=FORTY) == "not-allowed-now"
    assert ledger.amend("2005-06", bands=FORTY) == "not-allowed-now"
    assert ledger.amend("2005-07", bands=FORTY) is None


def test_a_contract_whose_periods_are_all_closed_can_be_extended_and_opens_its_next_period() -> None:
    ledger = signed()
    ledger.close(*months(1, 12))
    assert ledger.contract().open_period is None
    assert ledger.collect("R1", 10, "2005-12-31") == "not-allowed-now"
    assert ledger.amend("2006-01", ends_on="2006-03-15") is None
    assert (ledger.contract().open_period, ledger.contract().last_period) == ("2006-01", "2006-03")
    assert ledger.collect("R1", 10, "2005-12-31") is None
    assert ledger.transfers()[0][2] == "2006-01"


def test_a_shortened_term_ends_on_its_new_day() -> None:
    ledger = signed()
    assert ledger.amend("2005-02", ends_on="2005-02-10") is None
    assert ledger.collect("R1", 10, "2005-02-11") == "not-allowed-now"
    ledger.close("2005-01", "2005-02")
    assert ledger.contract().open_period is None


def test_a_contract_is_terminated_once_and_the_period_of_its_termination_is_the_last() -> None:
    ledger = signed()
    ledger.close("2005-01")
    ledger.collect("R1", 10, "2005-03-10")
    for on in ("2004-12-31", "2006-01-01", "2005-01-31", "2005-03-09"):
        assert ledger.terminate(on) == "not-allowed-now", on
    assert ledger.terminate("2005-04-10") is None
    assert ledger.terminate("2005-03-30") == "already-terminated"
    assert ledger.amend("2005-04", bands=FORTY) == "not-allowed-now"
    assert ledger.contract().last_period == "2005-04"
    assert ledger.collect("R2", 10, "2005-04-10") is None, "dated on or before `on` counts even after it"
    assert ledger.collect("R3", 10, "2005-04-11") == "not-allowed-now"
    ledger.close(*months(2, 4))
    assert ledger.contract().open_period is None


def test_a_contract_takes_a_hundred_amendments_that_count_and_no_more() -> None:
    ledger = signed()
    said = "what does not count leaves room for one that does"
    assert ledger.amend("2004-12", bands=FORTY) == "not-allowed-now", said
    for number in range(100):
        assert ledger.amend("2005-03", bands=[{"up_to_halalas": None, "partner_bp": number}]) is None
    assert ledger.amend("2005-03", bands=FORTY) == "not-allowed-now"
    assert len(ledger.contract().versions) == 101
    assert ledger.terminate("2005-06-01") is None
