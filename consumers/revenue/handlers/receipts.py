"""Revenue collected and reversed (R3, R4, R8, R9).

Each function takes the books and an entry, posts it or returns the one anomaly that applies first (§3).
"""

from __future__ import annotations

from typing import Final

from consumers.replay.fold.anomaly import Anomaly, anomaly
from consumers.revenue.handlers.book import Book, Books, window_of
from consumers.revenue.rows import RECEIPT, REVERSAL, Receipt, Reversal
from events.values.money import INTEGER_MAX
from events.wire.entry import Entry

_STATE: Final = ("starts_on", "last_day", "open_period", "collected_halalas")
SERVICES_SHOWN_MAX: Final = 20
"""Number of a contract's services that an `unknown-service` anomaly shows."""


def collected(books: Books, book: Book, entry: Entry) -> Anomaly | None:
    """A receipt: counts once, for a service and a day of the contract, while some period is open (R3)."""
    data = entry.data
    partnership_id: str = data["partnership_id"]
    contract = book.contract
    receipt_id: str = data["receipt_id"]
    known = books.rows.get(RECEIPT, partnership_id, receipt_id)
    if known is not None:
        return anomaly(entry, "already-collected", {"index": known.first_index})
    service_id: str = data["service_id"]
    if service_id not in book.services:
        return anomaly(entry, "unknown-service", {"services": contract.services[:SERVICES_SHOWN_MAX]})
    day: str = data["collected_on"]
    amount: int = data["amount_halalas"]
    if (
        not contract.starts_on <= day <= contract.last_day
        or contract.open_period is None
        or contract.collected_halalas + amount > INTEGER_MAX
    ):
        return anomaly(entry, "not-allowed-now", _state(book))

    index = entry.index
    label = book.period_of(day)
    window = window_of(day, contract.starts_on, contract.calendar, contract.tier_basis)
    posted = book.post(index, label, (book.version_for(label), window), amount)
    contract.collected_halalas += amount
    _note_date(book, day, index)
    about = (partnership_id, receipt_id, service_id, amount, day, data["receipts"])
    books.rows.put(RECEIPT, Receipt(*about, *posted, 0, index, index))
    book.transfer(index, 0, "receipt-partner", posted.period, posted.partner)
    book.transfer(index, 1, "receipt-treasury", posted.period, posted.treasury)
    return None


def reversed_(books: Books, book: Book, entry: Entry) -> Anomaly | None:
    """A full or partial reversal of a counted receipt, in that receipt's window and by its version (R8, R9)."""
    data = entry.data
    partnership_id: str = data["partnership_id"]
    contract = book.contract
    known = books.rows.get(REVERSAL, partnership_id, data["reversal_id"])
    if known is not None:
        return anomaly(entry, "already-reversed", {"index": known.index})
    receipt = books.rows.get(RECEIPT, partnership_id, data["reverses"])
    if receipt is None:
        return anomaly(entry, "unknown-receipt", {})
    day: str = data["reversed_on"]
    if day < receipt.collected_on or contract.open_period is None:
        return anomaly(entry, "not-allowed-now", {**_state(book), "collected_on": receipt.collected_on})
    remainder = receipt.amount_halalas - receipt.reversed_halalas
    if data["amount_halalas"] > remainder:
        return anomaly(entry, "exceeds-remainder", {"remainder_halalas": remainder})
    _reverse(books, book, entry, receipt)
    return None


def _reverse(books: Books, book: Book, entry: Entry, receipt: Receipt) -> None:
    data, index = entry.data, entry.index
    day, amount = data["reversed_on"], data["amount_halalas"]
    label = min(book.period_of(day), book.contract.last_period)
    version = book.version_for(book.period_of(receipt.collected_on))
    posted = book.post(index, label, (version, receipt.window_number), -amount)
    _note_date(book, day, index)
    receipt.reversed_halalas += amount
    receipt.last_index = index
    books.rows.put(RECEIPT, receipt)
    reversal = Reversal(
        partnership_id=receipt.partnership_id,
        reversal_id=data["reversal_id"],
        receipt_id=receipt.receipt_id,
        amount_halalas=amount,
        reversed_on=day,
        period=posted.period,
        contract_version=version,
        window_number=receipt.window_number,
        before_halalas=posted.before,
        partner_halalas=-posted.partner,
        treasury_halalas=-posted.treasury,
        index=index,
    )
    books.rows.put(REVERSAL, reversal)
    book.transfer(index, 0, "reversal-partner", posted.period, -posted.partner)
    book.transfer(index, 1, "reversal-treasury", posted.period, -posted.treasury)


def _note_date(book: Book, day: str, index: int) -> None:
    latest = book.contract.latest_dated_on
    if latest is None or day > latest:
        book.contract.latest_dated_on = day
    book.changed_at(index)


def _state(book: Book) -> dict[str, str | int | None]:
    """The `known` side of an anomaly."""
    return {name: getattr(book.contract, name) for name in _STATE}
