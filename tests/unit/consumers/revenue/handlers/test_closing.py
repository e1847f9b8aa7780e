"""Closing, statements and payouts (R11–R14): events in, statements and transfers out."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.revenue.handlers.closing import SettlementDiffers, statement_data
from events.values.money import INTEGER_MAX
from tests.world.ledger import RECORDED, Ledger, months, signed

RECOVERABLE = {"partner_floor_bp_of_expected": 5000, "recoverable": True}
LOST = {"partner_floor_bp_of_expected": 5000, "recoverable": False}


def expecting(amount: int, guarantee: dict[str, Any] | None = None) -> Ledger:
    expected = [{"period": label, "amount_halalas": amount} for label in months(1, 12)]
    return signed(expected=expected, guarantee=guarantee)


def test_a_statement_says_what_was_posted_to_the_period() -> None:
    ledger = expecting(500)
    ledger.close("2005-01")
    ledger.collect("R1", 900, "2005-02-10")
    ledger.collect("R2", 200, "2005-01-10")
    ledger.reverse("V1", "R1", 50, "2005-02-11")
    ledger.collect("R3", 7, "2005-03-11")
    assert ledger.close("2005-02") is None
    assert statement_data(ledger.statement("2005-02")) == {
        "partnership_id": "P1",
        "period": "2005-02",
        "contract_version": 0,
        "opening_cumulative_halalas": 0,
        "collected_halalas": 1100,
        "reversed_halalas": 50,
        "net_halalas": 1050,
        "prior_period_halalas": 200,
        "closing_cumulative_halalas": 1050,
        "partner_base_halalas": 725,
        "guarantee_halalas": 0,
        "top_up_halalas": 0,
        "recovered_halalas": 0,
        "top_up_outstanding_halalas": 0,
        "partner_total_halalas": 725,
        "treasury_total_halalas": 325,
        "expected_halalas": 500,
        "first_index": 2,
        "last_index": 4,
        "closing_index": 6,
    }


def test_a_period_without_postings_has_no_first_and_last_index() -> None:
    ledger = signed()
    ledger.close("2005-01")
    statement = ledger.statement("2005-01")
    assert (statement.first_index, statement.last_index, statement.closing_index) == (None, None, 1)


def test_closing_decides_one_settlement_named_after_partnership_and_period() -> None:
    ledger = signed()
    ledger.close("2005-01")
    (settlement,) = ledger.decided
    assert (settlement.id, settlement.type, settlement.subject) == (
        "settlement.P1.2005-01",
        "settlement.issued",
        "partnership/P1",
    )
    assert (settlement.time, settlement.cause_index) == (RECORDED, 1)
    assert settlement.data == statement_data(ledger.statement("2005-01"))


@pytest.mark.parametrize(
    ("rule", "label", "agency"),
    [
        ("not-owner", "2005-01", "justice"),
        ("already-closed", "2005-01", "health"),
        ("period-closed-out-of-order", "2005-04", "health"),
        ("period-closed-out-of-order", "2004-12", "health"),
        ("period-closed-out-of-order", "2006-01", "health"),
        ("period-closed-out-of-order", "2005-Q1", "health"),
        ("period-closed-out-of-order", "1426-01", "health"),
    ],
)
def test_only_the_open_period_can_be_closed(rule: str, label: str, agency: str) -> None:
    ledger = signed()
    ledger.close("2005-01", "2005-02")
    assert ledger.close(label, agency=agency) == rule
    assert len(ledger.decided) == 2
    assert ledger.contract().open_period == "2005-03"


def test_an_unknown_partnership_closes_and_pays_nothing() -> None:
    ledger = Ledger()
    assert ledger.close("2005-01") == "unknown-partnership"
    assert ledger.pay("O1", 1) == "unknown-partnership"


def test_a_quarterly_hijri_contract_closes_quarters() -> None:
    ledger = signed(calendar="umm-al-qura", period="quarter", starts_on="2005-02-10", ends_on="2006-01-30")
    assert ledger.contract().first_period == "1426-Q1"
    assert ledger.close("1426-01") == "period-closed-out-of-order"
    assert ledger.close("1426-Q1", "1426-Q2", "1426-Q3", "1426-Q4") is None
    assert ledger.contract().open_period is None


def test_a_top_up_fills_what_the_guarantee_promises_and_is_recovered_from_better_periods() -> None:
    ledger = expecting(1000, RECOVERABLE)  # 500 guaranteed
    ledger.collect("R1", 100, "2005-01-10")  # 70 of it the partner's
    ledger.collect("R2", 900, "2005-02-10")  # 630
    ledger.collect("R3", 2000, "2005-03-10")  # 1000
    ledger.close(*months(1, 3))
    rows = [ledger.statement(label) for label in months(1, 3)]
    assert [(r.top_up_halalas, r.recovered_halalas, r.top_up_outstanding_halalas) for r in rows] == [
        (430, 0, 430),
        (0, 130, 300),
        (0, 300, 0),
    ]
    assert [row[1:] for row in ledger.transfers() if row[1] in ("top-up", "recovery")] == [
        ("top-up", "2005-01", "guarantee-expense:P1", "partner-payable:P1", 430),
        ("recovery", "2005-02", "partner-payable:P1", "guarantee-expense:P1", 130),
        ("recovery", "2005-03", "partner-payable:P1", "guarantee-expense:P1", 300),
    ]


def test_a_top_up_that_is_not_recoverable_is_never_outstanding() -> None:
    ledger = expecting(1000, LOST)
    ledger.collect("R2", 2000, "2005-02-10")
    ledger.close("2005-01", "2005-02")
    assert ledger.statement("2005-01").top_up_halalas == 500
    second = ledger.statement("2005-02")
    assert (second.recovered_halalas, second.top_up_outstanding_halalas) == (0, 0)


def test_what_is_outstanding_stays_while_a_version_recovers_nothing() -> None:
    ledger = expecting(1000, RECOVERABLE)
    ledger.close("2005-01")
    ledger.amend("2005-02")
    ledger.collect("R1", 9000, "2005-02-10")
    ledger.close("2005-02")
    second = ledger.statement("2005-02")
    assert (second.contract_version, second.guarantee_halalas, second.recovered_halalas) == (1, 0, 0)
    assert second.top_up_outstanding_halalas == 500


def test_a_negative_base_is_topped_up_to_the_guarantee() -> None:
    ledger = expecting(100, LOST)
    ledger.collect("R1", 1000, "2005-01-10")
    ledger.close("2005-01")
    ledger.reverse("V1", "R1", 1000, "2005-02-10")
    ledger.close("2005-02")
    statement = ledger.statement("2005-02")
    assert (statement.partner_base_halalas, statement.top_up_halalas, statement.partner_total_halalas) == (
        -700,
        750,
        50,
    )
    assert statement.treasury_total_halalas == -1050


def test_only_what_is_payable_can_be_paid_out() -> None:
    ledger = signed()
    ledger.collect("R1", 1000, "2005-01-10")
    assert ledger.pay("O1", 1) == "exceeds-payable", "the period is not closed"
    ledger.close("2005-01")
    assert ledger.pay("O1", 701) == "exceeds-payable"
    assert ledger.pay("O1", 700, agency="justice") == "not-owner"
    assert ledger.pay("O1", 600) is None
    assert ledger.pay("O1", 1) == "already-paid-out"
    ledger.terminate("2005-02-28")
    assert ledger.pay("O2", 100) is None, "allowed after termination"
    assert ledger.pay("O3", 1) == "exceeds-payable"
    assert ledger.transfers()[-1][1:] == ("payout", None, "partner-payable:P1", "cash:P1", 100)


def test_all_balances_sum_to_zero() -> None:
    ledger = expecting(1000, RECOVERABLE)
    ledger.collect("R1", 1201, "2005-01-10")
    ledger.close("2005-01", "2005-02")
    ledger.reverse("V1", "R1", 333, "2005-03-10")
    ledger.pay("O1", 777)
    balances = ledger.balances()
    assert sum(balances.values()) == 0
    assert set(balances) == {
        "cash:P1",
        "collections:P1",
        "guarantee-expense:P1",
        "partner-payable:P1",
        "treasury-share:P1",
    }


def test_a_statement_with_a_number_that_no_event_can_carry_closes_the_period_without_a_settlement() -> None:
    ledger = expecting(2, LOST)  # 1 guaranteed
    ledger.collect("R1", INTEGER_MAX, "2005-01-10")
    ledger.close("2005-01")
    ledger.reverse("V1", "R1", INTEGER_MAX, "2005-02-10")
    assert ledger.close("2005-02") is None
    assert ledger.statement("2005-02").treasury_total_halalas == -INTEGER_MAX - 1
    assert [event.id for event in ledger.decided] == ["settlement.P1.2005-01"]


def test_top_ups_that_no_sum_can_hold_leave_the_period_open_and_nothing_behind() -> None:
    labels = [label for year in range(2005, 2051) for label in months(1, 12, year)]
    expected = [{"period": label, "amount_halalas": INTEGER_MAX} for label in labels]
    guarantee = {"partner_floor_bp_of_expected": 10_000, "recoverable": True}
    ledger = signed(ends_on="2050-12-31", expected=expected, guarantee=guarantee)
    results = [ledger.close(label) for label in labels[:514]]
    assert results == [None] * 512 + ["not-allowed-now", "period-closed-out-of-order"]
    assert ledger.contract().open_period == labels[512]
    assert len(ledger.store.state()["period"]) == 512


SETTLED = "settlement.issued"


def test_a_settlement_that_comes_back_as_it_was_decided_changes_nothing() -> None:
    ledger = signed()
    ledger.collect("R1", 1500, "2005-01-15")
    ledger.close("2005-01")
    before = ledger.store.state()
    (decided,) = ledger.decided
    assert ledger.say(SETTLED, "platform", **decided.data) is None
    assert ledger.store.state() == before


@pytest.mark.parametrize("field", ["partner_base_halalas", "closing_index", "net_halalas", "contract_version"])
def test_a_settlement_with_another_figure_halts_with_what_to_compare(field: str) -> None:
    ledger = signed()
    ledger.collect("R1", 1500, "2005-01-15")
    ledger.close("2005-01")
    (decided,) = ledger.decided
    changed = {**decided.data, field: decided.data[field] + 1}
    with pytest.raises(
        SettlementDiffers, match=r"entry i3 settles P1 for 2005-01 .*`yesser ledger statement P1 2005-01"
    ):
        ledger.say(SETTLED, "platform", **changed)


@pytest.mark.parametrize("period", ["2005-01", "2005-02", "1426-01"])
def test_a_settlement_of_a_period_that_is_not_closed_halts(period: str) -> None:
    ledger = signed()
    with pytest.raises(SettlementDiffers):
        ledger.say(SETTLED, "platform", period=period)
