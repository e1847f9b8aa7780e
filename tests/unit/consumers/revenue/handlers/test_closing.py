"""Closing, statements and payouts (R11–R14): events in, statements and transfers out."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.revenue.handlers.closing import SettlementDiffers, statement_data
from events.values.money import INTEGER_MAX
from tests.every import every
from tests.world.ledger import RECORDED, Ledger, months, signed

RECOVERABLE = {"partner_floor_bp_of_expected": 5000, "recoverable": True}
LOST = {"partner_floor_bp_of_expected": 5000, "recoverable": False}
SETTLED = "settlement.issued"


def expecting(amount: int, guarantee: dict[str, Any] | None = None) -> Ledger:
    expected = [{"period": label, "amount_halalas": amount} for label in months(1, 12)]
    return signed(expected=expected, guarantee=guarantee)


def test_closing_states_what_was_posted_to_the_period_and_decides_one_settlement() -> None:
    ledger = expecting(500)
    ledger.close("2005-01")
    ledger.collect("R1", 900, "2005-02-10")
    ledger.collect("R2", 200, "2005-01-10")
    ledger.reverse("V1", "R1", 50, "2005-02-11")
    ledger.collect("R3", 7, "2005-03-11")
    assert ledger.close("2005-02") is None
    _, settlement = ledger.decided
    named = settlement.id, settlement.type, settlement.subject, settlement.time, settlement.cause_index
    assert named == ("settlement.P1.2005-02", SETTLED, "partnership/P1", RECORDED, 6)
    assert settlement.data == statement_data(ledger.statement("2005-02"))


@every(
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


def test_a_top_up_fills_what_the_guarantee_promises_and_is_recovered_from_better_periods() -> None:
    ledger = expecting(1000, RECOVERABLE)  # 500 guaranteed
    ledger.collect("R1", 100, "2005-01-10")  # 70 of it the partner's
    ledger.collect("R2", 900, "2005-02-10")  # 630
    ledger.collect("R3", 2000, "2005-03-10")  # 1000
    ledger.close(*months(1, 3))
    assert [row[1:] for row in ledger.transfers() if row[1] in ("top-up", "recovery")] == [
        ("top-up", "2005-01", "guarantee-expense:P1", "partner-payable:P1", 430),
        ("recovery", "2005-02", "partner-payable:P1", "guarantee-expense:P1", 130),
        ("recovery", "2005-03", "partner-payable:P1", "guarantee-expense:P1", 300),
    ]


def test_what_is_outstanding_stays_while_a_version_recovers_nothing() -> None:
    ledger = expecting(1000, RECOVERABLE)
    ledger.close("2005-01")
    ledger.amend("2005-02")
    ledger.collect("R1", 9000, "2005-02-10")
    ledger.close("2005-02")
    second = ledger.statement("2005-02")
    assert (second.contract_version, second.guarantee_halalas, second.recovered_halalas) == (1, 0, 0)
    assert second.top_up_outstanding_halalas == 500


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


def test_a_settlement_that_comes_back_changes_nothing_and_one_that_differs_halts_with_what_to_compare() -> None:
    ledger = signed()
    ledger.collect("R1", 1500, "2005-01-15")
    ledger.close("2005-01")
    before = ledger.store.state()
    (decided,) = ledger.decided
    assert ledger.say(SETTLED, "platform", **decided.data) is None
    assert ledger.store.state() == before
    for index, name in enumerate(("partner_base_halalas", "closing_index", "net_halalas", "contract_version"), 4):
        said = rf"entry i{index} settles P1 for 2005-01 .*`yesser ledger statement P1 2005-01"
        with pytest.raises(SettlementDiffers, match=said):
            ledger.say(SETTLED, "platform", **{**decided.data, name: decided.data[name] + 1})
    for period in ("2005-02", "1426-01"):
        with pytest.raises(SettlementDiffers):
            ledger.say(SETTLED, "platform", period=period)
