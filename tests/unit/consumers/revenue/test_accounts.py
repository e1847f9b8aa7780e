"""The accounts of the ledger and its tables: whole riyals and two decimals from integers, in Arabic and English."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from consumers.documents.document import Listing, document_of
from consumers.documents.ledger.ledger import RULES, AccountKind, Balance, TransferKind, sum_of
from consumers.documents.ledger.partnerships import PARTNERSHIPS, Partnership
from consumers.documents.tables import grid
from consumers.revenue.accounts import SIDES, kinds_of
from consumers.revenue.accounts import TRANSFERS as CAUSED
from infra.command_line.display import Grid
from tests.world.entries import TEXT
from tests.world.partnership import DOCUMENT


def shown(table: Grid) -> str:
    file = StringIO()
    Console(file=file, width=120).print(table)
    return file.getvalue()


def balance(name: str, debits: int, credits: int) -> Balance:
    return Balance(account=name, debits_halalas=debits, credits_halalas=credits, balance_halalas=debits - credits)


def test_balances_say_their_kind_and_sum_to_zero() -> None:
    rows = [balance("cash:P1", 0, 123_456_789), balance("collections:P1", 123_456_789, 0)]
    text = shown(grid(Listing("أرصدة", "Balances", Balance), rows, sum_of(rows)))
    assert all(word in text for word in ("cash:P1", "النقد المدفوع", "Cash", "Paid to the partner", "-1,234,567.89"))
    assert text.rstrip().splitlines()[-1].count(" 0.00") == 1


def test_a_partnership_is_listed_with_the_name_of_its_partner() -> None:
    text = shown(grid(PARTNERSHIPS, [document_of(Partnership, DOCUMENT)]))
    assert all(word in text for word in ("P1", "health", TEXT["ar"], TEXT["en"], "2005-12-31", "2005-02"))


def test_every_kind_of_transfer_has_two_different_sides_of_the_chart_and_a_name() -> None:
    kinds = {kind.value for kind in AccountKind}
    assert SIDES.keys() == {kind.value for kind in TransferKind} == RULES.keys()
    assert all(debit != credit and {debit, credit} <= kinds for debit, credit in SIDES.values())
    assert sorted(kind for kinds in CAUSED.values() for kind in kinds) == sorted(SIDES)
    assert kinds_of(frozenset({"revenue.paid-out", "partnership.signed"})) == {"partner-payable", "cash"}
