"""The ledger as beancount reads it: no error, every transaction zero, the same balances."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from beancount import loader
from beancount.core import convert, data, interpolate
from beancount.core.inventory import Inventory
from hypothesis import given, settings

from consumers.documents.ledger.ledger import AccountKind
from consumers.revenue.books.journal import COLUMNS, Booking, beancount_lines
from consumers.revenue.consumer import CONSUMER
from consumers.revenue.rows import ACCOUNT, TRANSFER
from tests.oracle.log import EntryDict
from tests.oracle.strategies import revenue_logs
from tests.world.entries import entry_of
from tests.world.memory_store import MemoryStore

residual: Any = interpolate.compute_residual


def units(inventory: Any) -> Any:
    return inventory.reduce(convert.get_units)


def booked(store: MemoryStore) -> Iterator[Booking]:
    for row in store.rows(TRANSFER):
        yield Booking(row.index, row.line, "2005-01-31", row.partnership_id, row.kind, "R-1", row.period, 0, 0,
                      row.debit, row.credit, row.amount_halalas)  # fmt: skip


def loaded(bookings: list[Booking]) -> list[data.Directive]:
    entries, errors, _ = loader.load_string("".join(beancount_lines(bookings, 'Title "quoted"')))
    assert not errors, errors
    found: list[data.Directive] = entries
    return found


@settings(deadline=None, max_examples=25)
@given(revenue_logs())
def test_beancount_loads_it_and_has_the_same_balances(log: list[EntryDict]) -> None:
    store = MemoryStore()
    store.apply(CONSUMER, [entry_of(made) for made in log])
    entries = loaded(list(booked(store)))
    names = {}
    balances: dict[str, Inventory] = {}
    for entry in entries:
        if isinstance(entry, data.Open):
            kind = next(known.value for known in AccountKind if known.en == entry.meta["name-en"])
            names[entry.account] = f"{kind}:{entry.meta['partnership']}"
        elif isinstance(entry, data.Transaction):
            assert residual(entry.postings).is_empty()
            for posting in entry.postings:
                balances.setdefault(posting.account, Inventory()).add_position(posting)
    shown = {
        names[account]: int(units(inventory).get_currency_units("SAR").number * 100)
        for account, inventory in balances.items()
    }
    assert shown == {row.account: row.debits_halalas - row.credits_halalas for row in store.rows(ACCOUNT)}


def booking(index: int, partnership_id: str, amount: int) -> Booking:
    sides = f"collections:{partnership_id}", f"partner-payable:{partnership_id}"
    return Booking(index, 0, "2005-01-31", partnership_id, "receipt-partner", "R", "2005-01", 0, 0, *sides, amount)


def test_ids_that_beancount_cannot_write_stay_apart() -> None:
    entries = loaded([booking(1, "a.b", 1), booking(2, "a_b", 10), booking(3, "a-b", 100), booking(4, "1x", 2**53)])
    opened = {entry.account: entry.meta["partnership"] for entry in entries if isinstance(entry, data.Open)}
    assert sorted(set(opened.values())) == ["1x", "a-b", "a.b", "a_b"]
    assert len(opened) == 8
    transactions = [entry for entry in entries if isinstance(entry, data.Transaction)]
    posted = [posting.units for entry in transactions for posting in entry.postings]
    amounts = [units.number for units in posted if units is not None and (units.number or 0) > 0]
    assert amounts == [Decimal("0.01"), Decimal("0.10"), Decimal("1.00"), Decimal("90071992547409.92")]


def test_a_transaction_has_its_kind_its_rule_and_what_priced_it() -> None:
    receipt = booking(1, "P1", 5)
    sides = "guarantee-expense:P1", "partner-payable:P1"
    top_up = Booking(2, 0, "2005-01-31", "P1", "top-up", None, "2005-01", 1, None, *sides, 5)
    made = [entry for entry in loaded([receipt, top_up]) if isinstance(entry, data.Transaction)]
    assert [entry.payee for entry in made] == ["receipt", "top-up"]
    named = [{name: entry.meta.get(name) for name in ("contract-version", "window", "rule")} for entry in made]
    assert named == [
        {"contract-version": 0, "window": 0, "rule": "R8"},
        {"contract-version": 1, "window": None, "rule": "R12"},
    ]


def test_a_row_of_a_table_names_entry_version_window_period_and_rule() -> None:
    sides = "partner-payable:P1", "collections:P1"
    reversal = Booking(7, 0, "2005-02-03", "P1", "reversal-partner", "V1", "2005-02", 2, 3, *sides, 70)
    row = dict(zip(COLUMNS, reversal.row(), strict=True))
    named = ("index", "period", "contract_version", "window", "rule", "amount_halalas")
    assert [row[name] for name in named] == [7, "2005-02", 2, 3, "R9", 70]
    assert all(isinstance(value, int) == (COLUMNS[name] == "BIGINT") for name, value in row.items())
