"""Every transfer of the ledger with its day, its reason and the names of its accounts, in log order; and the same in
the text format of beancount (double-entry bookkeeping): one transaction for each entry of the log.

The day of a receipt, a reversal or a payout is its own; that of a top-up or a recovery is the last day of its period.
In beancount amounts are riyals with two decimals, written from whole halalas. An account's component has letters,
digits and hyphens only, so the real id of a partnership is kept as metadata.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from consumers.documents.ledger.ledger import RULES, AccountKind, TransferKind, kind_of
from events.values.money import HALALAS_PER_RIYAL
from events.values.periods import days_of
from infra.command_line.table_files import Columns
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

ROWS_AT_ONCE: Final = 4_096
_SQL: Final = queries("consumers.revenue.books", "journal.sql")


@dataclass(frozen=True, slots=True)
class Booking:
    """One transfer. `reason` is the id of the receipt, reversal or payout; None for what a closing posts.

    `contract_version` and `window` priced it: a top-up or recovery has no window, a payout neither.
    """

    index: int
    line: int
    day: str
    partnership_id: str
    kind: str
    reason: str | None
    period: str | None
    contract_version: int | None
    window: int | None
    debit: str
    credit: str
    amount_halalas: int

    @property
    def rule(self) -> str:
        """The rule by which it was posted."""
        return RULES[self.kind]

    def row(self) -> tuple[int | str | None, ...]:
        """The columns of `COLUMNS`."""
        derived: dict[str, str] = {"date": self.day}
        for side in ("debit", "credit"):
            kind = kind_of(getattr(self, side))
            derived |= {f"{side}_ar": kind.ar, f"{side}_en": kind.en}
        return tuple(derived[name] if name in derived else getattr(self, name) for name in _COLUMN_NAMES)


_WHOLE: Final = frozenset({"index", "line", "contract_version", "window", "amount_halalas"})
_COLUMN_NAMES: Final = (
    "index", "line", "date", "partnership_id", "kind", "reason", "period",
    "contract_version", "window", "rule",
    "debit", "debit_ar", "debit_en", "credit", "credit_ar", "credit_en", "amount_halalas",
)  # fmt: skip
COLUMNS: Final[Columns] = {name: "BIGINT" if name in _WHOLE else "VARCHAR" for name in _COLUMN_NAMES}


async def bookings(connection: Connection, partnership_id: str | None = None) -> AsyncIterator[Booking]:
    """The transfers of a partnership, or of all. Call it inside a transaction: rows are read through a cursor."""
    cursor = await connection.cursor(_SQL["transfers"], partnership_id)
    while rows := await cursor.fetch(ROWS_AT_ONCE):
        for row in rows:
            index, line, day, *others, calendar = row
            yield Booking(index, line, day or days_of(row["period"], calendar)[1], *others)


_ROOTS: Final = {
    AccountKind.COLLECTIONS: "Assets:Collections",
    AccountKind.CASH: "Assets:Cash",
    AccountKind.PARTNER_PAYABLE: "Liabilities:PartnerPayable",
    AccountKind.TREASURY_SHARE: "Income:TreasuryShare",
    AccountKind.GUARANTEE_EXPENSE: "Expenses:GuaranteeExpense",
}
_OPENED: Final = "1924-08-01"
"""Before every date that an event can have."""


def beancount_lines(bookings: Iterable[Booking], title: str) -> Iterator[str]:
    """The file's lines, accounts opened before their first use. Every transaction sums to zero."""
    yield f'option "title" {_quoted(title)}\n'
    yield 'option "operating_currency" "SAR"\n'
    accounts = _Accounts()
    transaction: list[Booking] = []
    for booking in bookings:
        if transaction and transaction[0].index != booking.index:
            yield _transaction(transaction, accounts)
            transaction = []
        yield from accounts.opened(booking)
        transaction.append(booking)
    if transaction:
        yield _transaction(transaction, accounts)


class _Accounts:
    """The names of accounts in beancount, unique for each account of the ledger."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._used: set[str] = set()

    def name(self, account: str) -> str:
        return self._names[account]

    def opened(self, booking: Booking) -> list[str]:
        """The lines that open the accounts of a booking which are new."""
        lines = []
        for account in (booking.debit, booking.credit):
            if account not in self._names:
                kind, partnership_id = kind_of(account), account.partition(":")[2]
                name = self._names[account] = self._unused(f"{_ROOTS[kind]}:{_component(partnership_id)}")
                lines.append(
                    f"\n{_OPENED} open {name} SAR\n  partnership: {_quoted(partnership_id)}\n"
                    f"  name-ar: {_quoted(kind.ar)}\n  name-en: {_quoted(kind.en)}\n"
                )
        return lines

    def _unused(self, name: str) -> str:
        found = next(
            other for number in count(1) if (other := name if number == 1 else f"{name}-{number}") not in self._used
        )
        self._used.add(found)
        return found


def _transaction(bookings: list[Booking], accounts: _Accounts) -> str:
    first = bookings[0]
    kind = TransferKind(first.kind).en.lower()
    lines = [f"\n{first.day} * {_quoted(kind)} {_quoted(first.reason or first.period or '')}"]
    lines.append(f"  log-index: {first.index}")
    if first.period is not None:
        lines.append(f"  period: {_quoted(first.period)}")
    if first.contract_version is not None:
        lines.append(f"  contract-version: {first.contract_version}")
    if first.window is not None:
        lines.append(f"  window: {first.window}")
    lines.append(f"  rule: {_quoted(first.rule)}")
    for booking in bookings:
        amount = _riyals(booking.amount_halalas)
        lines += [
            f"  {accounts.name(booking.debit)}  {amount} SAR",
            f"  {accounts.name(booking.credit)}  -{amount} SAR",
        ]
    return "\n".join(lines) + "\n"


def _component(partnership_id: str) -> str:
    """An id as a component of an account's name, which begins with a capital letter or a digit."""
    return f"P-{re.sub(r'[^A-Za-z0-9-]', '-', partnership_id)}"


def _riyals(halalas: int) -> str:
    """`1234567` → `12345.67`; transfers are above zero."""
    riyals, rest = divmod(halalas, HALALAS_PER_RIYAL)
    return f"{riyals}.{rest:02d}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
