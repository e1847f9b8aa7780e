"""Signed, amended, terminated, reassigned (R1–R3, R5, R10): events in, rules and rows out."""

from __future__ import annotations

import pytest

from tests.world.ledger import Ledger, months, signed

FORTY = [{"up_to_halalas": None, "partner_bp": 4000}]


def test_a_signed_contract_opens_its_first_period() -> None:
    contract = signed().contract()
    assert (contract.owner, contract.first_period, contract.last_period, contract.open_period) == (
        "health",
        "2005-01",
        "2005-12",
        "2005-01",
    )


def test_signing_again_is_already_signed_for_the_owner_and_not_owner_for_others() -> None:
    ledger = signed()
    assert ledger.sign() == "already-signed"
    assert ledger.sign("justice") == "not-owner"


def test_after_a_reassignment_the_new_owner_is_the_one_that_signed() -> None:
    ledger = signed()
    assert ledger.reassign("justice") is None
    assert ledger.sign() == "not-owner"
    assert ledger.sign("justice") == "already-signed"
    assert ledger.collect("R1", 10, "2005-01-05") == "not-owner"
    assert ledger.collect("R1", 10, "2005-01-05", agency="justice") is None


def test_an_unknown_partnership_can_be_neither_changed_nor_reassigned() -> None:
    ledger = Ledger()
    assert ledger.amend("2005-02") == "unknown-partnership"
    assert ledger.terminate("2005-02-01") == "unknown-partnership"
    assert ledger.reassign("justice") == "unknown-partnership"
    assert ledger.store.state().keys() == {"anomaly", "anomaly_count"}


def test_only_the_owner_amends_and_terminates() -> None:
    ledger = signed()
    assert ledger.amend("2005-02", agency="justice") == "not-owner"
    assert ledger.terminate("2005-02-01", agency="justice") == "not-owner"


def test_an_amendment_prices_from_its_period_on_and_leaves_what_came_before() -> None:
    ledger = signed()
    ledger.collect("R1", 100, "2005-01-05")
    assert ledger.amend("2005-03", bands=FORTY) is None
    ledger.collect("R2", 100, "2005-02-05")
    ledger.collect("R3", 100, "2005-03-05")
    partner = [row[-1] for row in ledger.transfers() if row[1] == "receipt-partner"]
    assert partner == [70, 70, 40]
    assert ledger.contract().versions == ["2005-01", "2005-03"]


def test_the_latest_amendment_in_log_order_wins_where_both_are_in_force() -> None:
    ledger = signed()
    ledger.amend("2005-05", bands=FORTY)
    ledger.amend("2005-03", bands=[{"up_to_halalas": None, "partner_bp": 1000}])
    ledger.collect("R1", 100, "2005-06-05")
    assert ledger.transfers()[0][-1] == 10


@pytest.mark.parametrize(
    "changes",
    [{"starts_on": "2005-01-02"}, {"calendar": "umm-al-qura"}, {"period": "quarter"}, {"tier_basis": "contract-year"}],
    ids=lambda changes: next(iter(changes)),
)
def test_terms_that_place_dates_cannot_be_amended(changes: dict[str, str]) -> None:
    assert signed().amend("2005-03", **changes) == "not-allowed-now"


@pytest.mark.parametrize("label", ["2004-12", "2006-01", "2005-Q2", "1426-03"])
def test_an_amendment_takes_effect_in_a_period_of_the_amended_term(label: str) -> None:
    assert signed().amend(label, bands=FORTY) == "not-allowed-now"


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


def test_the_period_of_termination_is_the_last() -> None:
    ledger = signed()
    ledger.collect("R1", 10, "2005-03-10")
    assert ledger.terminate("2005-03-10") is None
    assert ledger.contract().last_period == "2005-03"
    assert ledger.collect("R2", 10, "2005-03-10") is None, "dated on or before `on` counts even after it"
    assert ledger.collect("R3", 10, "2005-03-11") == "not-allowed-now"
    ledger.close(*months(1, 3))
    assert ledger.contract().open_period is None


@pytest.mark.parametrize("on", ["2004-12-31", "2006-01-01", "2005-01-31", "2005-03-09"])
def test_a_termination_outside_the_term_in_a_closed_period_or_before_counted_revenue_is_not_allowed(on: str) -> None:
    ledger = signed()
    ledger.close("2005-01")
    ledger.collect("R1", 10, "2005-03-10")
    assert ledger.terminate(on) == "not-allowed-now"


def test_a_contract_is_terminated_once_and_not_amended_afterwards() -> None:
    ledger = signed()
    ledger.terminate("2005-06-30")
    assert ledger.terminate("2005-05-30") == "already-terminated"
    assert ledger.amend("2005-04", bands=FORTY) == "not-allowed-now"


def test_a_contract_takes_a_hundred_amendments_that_count_and_no_more() -> None:
    ledger = signed()
    assert ledger.amend("2004-12", bands=FORTY) == "not-allowed-now", (
        "what does not count leaves room for one that does"
    )
    for number in range(100):
        assert ledger.amend("2005-03", bands=[{"up_to_halalas": None, "partner_bp": number}]) is None
    assert ledger.amend("2005-03", bands=FORTY) == "not-allowed-now"
    assert len(ledger.contract().versions) == 101
    assert ledger.terminate("2005-06-01") is None
