"""The rows of one partnership while a batch is folded, and the only two functions that write money.

`Books` opens a `Book` per partnership. `Book.post` prices a receipt or reversal and adds it to its window and period
(R4, R7, R8); `Book.transfer` posts one record and adds it to its two accounts (R14). Rows stay the same objects for
the whole batch, so each is put into the unit of work once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, cast

from consumers.replay.fold.anomaly import Anomaly, anomaly
from consumers.revenue import rows as tables
from consumers.revenue.accounts import SIDES, account_name
from consumers.revenue.handlers.pricing import PriceTable, price_table, share
from events.values.calendar import CalendarName
from events.values.periods import PeriodKind, contract_year, period_of
from events.wire.entry import Entry
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import UnitOfWork

WHOLE_LIFE: Final = 0
"""The window number of a contract whose bands run over its whole life; contract years count from 1."""


class Posting(NamedTuple):
    """Where and how an amount was posted; the parts have the amount's sign. `before`: the window's sum before it."""

    period: str
    version: int
    window_number: int
    before: int
    partner: int
    treasury: int


class Book:
    """One partnership: its contract, and the windows, periods and accounts that the batch changes."""

    def __init__(self, rows: UnitOfWork, contract: tables.Contract) -> None:
        self.contract = contract
        self.services = frozenset(contract.services)
        self._rows = rows
        self._makes_transfers = rows.makes(tables.TRANSFER)
        self._changed = False
        self._calendar = cast(CalendarName, contract.calendar)
        self._kind = cast(PeriodKind, contract.period_kind)
        self._prices: dict[int, PriceTable] = {}
        self._windows: dict[int, tables.RevenueWindow] = {}
        self._periods: dict[str, tables.Period] = {}
        self._accounts: dict[str, tables.Account] = {}

    def period_of(self, day: str) -> str:
        """The period of a date, in the contract's calendar."""
        return period_of(day, self._calendar, self._kind)

    def is_closed(self, label: str) -> bool:
        """Whether a period of this contract (a label of its calendar and kind, not before its first) is closed."""
        closed_through = self.contract.closed_through
        return closed_through is not None and label <= closed_through

    def version_for(self, label: str) -> int:
        """The version in force for a period of the contract."""
        return version_for(self.contract.versions, label)

    def terms(self, version: int) -> tables.ContractVersion:
        row = self._rows.get(tables.VERSION, self.contract.partnership_id, version)
        assert row is not None, "every number below len(versions) has a row"
        return row

    def period(self, label: str) -> tables.Period:
        """The sums of a period; created if nothing was posted to it yet."""
        period = self._periods.get(label)
        if period is None:
            period = self._periods[label] = self.period_so_far(label)
            self._rows.put(tables.PERIOD, period)
        return period

    def period_so_far(self, label: str) -> tables.Period:
        """The same sums, read-only: nothing is created."""
        partnership_id = self.contract.partnership_id
        known = self._periods.get(label) or self._rows.get(tables.PERIOD, partnership_id, label)
        return known or tables.Period(partnership_id, label)

    def changed_at(self, index: int) -> None:
        """Record that the entry at `index` changed this contract."""
        contract = self.contract
        contract.last_index = index
        if not self._changed:
            self._changed = True
            self._rows.put(tables.CONTRACT, contract)

    def post(self, index: int, label: str, priced: tuple[int, int], amount: int) -> Posting:
        """Post a signed amount that belongs to period `label`, priced by `(version, window)`.

        Some period must be open: an amount of a closed one is posted to it as a prior-period adjustment.
        """
        contract = self.contract
        version, window_number = priced
        window = self._window(window_number, index)
        before = window.cumulative_halalas
        after = before + amount
        partner, treasury = share(self._price(version), before, after)
        window.cumulative_halalas = after
        window.postings_count += 1
        window.last_index = index

        closed_through = contract.closed_through
        prior = closed_through is not None and label <= closed_through
        if prior:
            assert contract.open_period is not None
            label = contract.open_period
        period = self._periods.get(label) or self.period(label)
        if amount > 0:
            period.collected_halalas += amount
        else:
            period.reversed_halalas -= amount
        if prior:
            period.prior_period_halalas += amount
        period.partner_base_halalas += partner
        period.postings_count += 1
        if period.first_index is None:
            period.first_index = index
        period.last_index = index
        return Posting(label, version, window_number, before, partner, treasury)

    def transfer(self, index: int, line: int, kind: str, period: str | None, amount: int) -> None:
        """Post one transfer of `amount` ≥ 0; nothing is posted for zero.

        It follows from a row that the caller puts, so a store with the view `transfer` needs no row of it.
        """
        if not amount:
            return
        debit_kind, credit_kind = SIDES[kind]
        debit = self._accounts.get(debit_kind) or self._account(debit_kind, index)
        credit = self._accounts.get(credit_kind) or self._account(credit_kind, index)
        debit.debits_halalas += amount
        debit.transfers_count += 1
        debit.last_index = index
        credit.credits_halalas += amount
        credit.transfers_count += 1
        credit.last_index = index
        if self._makes_transfers:
            partnership_id = self.contract.partnership_id
            transfer = tables.Transfer(index, line, partnership_id, period, kind, debit.account, credit.account, amount)
            self._rows.append(tables.TRANSFER, transfer)

    def _price(self, version: int) -> PriceTable:
        table = self._prices.get(version)
        if table is None:
            table = self._prices[version] = price_table(self.terms(version).terms)
        return table

    def _window(self, number: int, index: int) -> tables.RevenueWindow:
        window = self._windows.get(number)
        if window is None:
            partnership_id = self.contract.partnership_id
            known = self._rows.get(tables.WINDOW, partnership_id, number)
            window = self._windows[number] = known or tables.RevenueWindow(partnership_id, number, 0, 0, index, index)
            self._rows.put(tables.WINDOW, window)
        return window

    def _account(self, kind: str, index: int) -> tables.Account:
        partnership_id = self.contract.partnership_id
        name = account_name(kind, partnership_id)
        known = self._rows.get(tables.ACCOUNT, name)
        account = self._accounts[kind] = known or tables.Account(name, partnership_id, kind, 0, 0, 0, index, index)
        self._rows.put(tables.ACCOUNT, account)
        return account


def version_for(versions: Sequence[str], label: str) -> int:
    """The version in force for a period: the latest in log order with `effective_from` ≤ it (R5).

    `label` is not before the contract's first period, which is that of version 0.
    """
    number = len(versions) - 1
    while versions[number] > label:
        number -= 1
    return number


def window_of(day: str, starts_on: str, calendar: str, tier_basis: str) -> int:
    """The window of revenue collected on `day`, which is not before `starts_on`."""
    if tier_basis == "lifetime":
        return WHOLE_LIFE
    return contract_year(starts_on, day, cast(CalendarName, calendar))


class Books:
    """All partnerships of a batch, and the settlements that it decided."""

    def __init__(self, rows: UnitOfWork) -> None:
        self.rows = rows
        self.decided: list[OutboxEvent] = []
        self._books: dict[str, Book] = {}

    def find(self, partnership_id: str) -> Book | None:
        """The book of a partnership, or None if it was never signed."""
        book = self._books.get(partnership_id)
        if book is None:
            contract = self.rows.get(tables.CONTRACT, partnership_id)
            if contract is None:
                return None
            book = self._books[partnership_id] = Book(self.rows, contract)
        return book

    def owned(self, entry: Entry) -> Book | Anomaly:
        """The book of the entry's partnership; the anomaly where there is none, or its owner did not send the entry."""
        book = self.find(entry.data["partnership_id"])
        if book is None:
            return anomaly(entry, "unknown-partnership", {})
        owner = book.contract.owner
        return book if owner == entry.agency else anomaly(entry, "not-owner", {"owner": owner})
