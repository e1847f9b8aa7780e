"""The ledger for the eye: whole riyals and two decimals from integers, in Arabic and English."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from consumers.revenue.accounts import CHART, SIDES, TRANSFERS, kinds_of
from consumers.revenue.show import TRANSFER_KINDS, balances_table, transfers_table
from consumers.revenue.transfer_rules import RULE_OF_KIND
from infra.command_line.display import Grid


def shown(table: Grid) -> str:
    file = StringIO()
    Console(file=file, width=120).print(table)
    return file.getvalue()


def account(name: str, debits: int, credits: int) -> dict[str, Any]:
    sums = {"debits_halalas": debits, "credits_halalas": credits, "balance_halalas": debits - credits}
    return {"account": name, **sums}


def test_balances_are_grouped_by_kind_and_sum_to_zero() -> None:
    text = shown(balances_table([account("cash:P1", 0, 123_456_789), account("collections:P1", 123_456_789, 0)], 42))
    assert "النقد المدفوع · Cash" in text
    assert "-1,234,567.89" in text
    assert text.rstrip().splitlines()[-1].count("0.00") == 1
    assert "42" in text


def test_transfers_name_their_kind_and_both_sides() -> None:
    row = {
        "index": 7,
        "line": 0,
        "kind": "payout",
        "period": None,
        "contract_version": None,
        "window": None,
        "rule": "R13",
        "debit": "partner-payable:P1",
        "credit": "cash:P1",
        "amount_halalas": 5,
    }
    text = shown(transfers_table("P1", [row]))
    for word in ("صرف · payout", "partner-payable", "cash", "0.05", "R13"):
        assert word in text


def test_every_kind_of_transfer_has_two_different_sides_of_the_chart_and_a_name() -> None:
    kinds = {line.kind for line in CHART}
    assert SIDES.keys() == TRANSFER_KINDS.keys() == RULE_OF_KIND.keys()
    assert all(debit != credit and {debit, credit} <= kinds for debit, credit in SIDES.values())
    assert sorted(kind for kinds in TRANSFERS.values() for kind in kinds) == sorted(SIDES)
    assert kinds_of(frozenset({"revenue.paid-out", "partnership.signed"})) == {"partner-payable", "cash"}
