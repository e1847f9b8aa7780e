"""Closes a period, draws its statement, and pays the partner (R11–R13).

The period closes, and a top-up or recovery is posted, at the index of `revenue.period-closed`. `settlement.issued` only
announces the statement: when it comes back as an entry, it is compared with the statement, and a difference halts.
"""

from __future__ import annotations

from dataclasses import fields
from hashlib import sha256
from typing import Final

from consumers.replay.fold.anomaly import Anomaly, anomaly
from consumers.revenue.handlers.book import Book, Books
from consumers.revenue.rows import EXPECTED, PAYOUT, PERIOD, STATEMENT, Payout, Statement
from events.errors import Halt
from events.values.data import Data
from events.values.money import BASIS_POINTS, INTEGER_MAX
from events.values.periods import next_period, period_kind
from events.wire.codec import canonical_bytes
from events.wire.entry import Entry
from infra.postgres.outbox import OutboxEvent

TOP_UPS_HALALAS_MAX: Final = 2**62
"""Maximum sum of a contract's top-ups, so that sums fit 64 bits; a period that would exceed it stays open."""

_FIELDS: Final = tuple(field.name for field in fields(Statement))


class SettlementDiffers(Halt):
    """A settlement in the log is not the one of this ledger: nothing is paid by either before an operator knows why."""


def period_closed(books: Books, book: Book, entry: Entry) -> Anomaly | None:
    """Close the open period, draw its statement and decide `settlement.issued`."""
    label = entry.data["period"]
    contract = book.contract
    if _was_closed(book, label):
        return anomaly(entry, "already-closed", {"closed_through": contract.closed_through})
    if label != contract.open_period:
        return anomaly(entry, "period-closed-out-of-order", {"open_period": contract.open_period})
    statement = draw_statement(books, book, label, entry.index)
    if contract.top_ups_halalas + statement.top_up_halalas > TOP_UPS_HALALAS_MAX:
        return anomaly(entry, "not-allowed-now", {"top_ups_halalas": contract.top_ups_halalas})
    _close(books, book, statement)
    if fits_json(statement):
        book.period(label).statement_sha256 = _sha256(statement_data(statement))
        books.decided.append(settlement_issued(statement, entry.recorded))
    return None


def settled(books: Books, entry: Entry) -> None:
    """Compare `settlement.issued` with the period's own statement. Raises `SettlementDiffers`."""
    partnership_id, label = entry.data["partnership_id"], entry.data["period"]
    period = books.rows.get(PERIOD, partnership_id, label)
    if period is None or period.statement_sha256 != _sha256(entry.data):
        raise SettlementDiffers(
            f"entry i{entry.index} settles {partnership_id} for {label} with figures that are not those of this ledger:"
            f" compare `yesser log show {entry.index}` with `yesser ledger statement {partnership_id} {label} --json`"
        )


def paid_out(books: Books, book: Book, entry: Entry) -> Anomaly | None:
    """A payout, within what is payable (R13)."""
    data = entry.data
    partnership_id, payout_id, amount = data["partnership_id"], data["payout_id"], data["amount_halalas"]
    contract = book.contract
    known = books.rows.get(PAYOUT, partnership_id, payout_id)
    if known is not None:
        return anomaly(entry, "already-paid-out", {"index": known.index})
    if amount > contract.payable_halalas:
        return anomaly(entry, "exceeds-payable", {"payable_halalas": contract.payable_halalas})
    contract.payable_halalas -= amount
    books.rows.put(PAYOUT, Payout(partnership_id, payout_id, amount, data["paid_on"], entry.index))
    book.transfer(entry.index, 0, "payout", None, amount)
    book.changed_at(entry.index)
    return None


def draw_statement(books: Books, book: Book, label: str, closing_index: int) -> Statement:
    """The statement (R12) of a fully posted period; changes nothing."""
    contract = book.contract
    version = book.version_for(label)
    row = books.rows.get(EXPECTED, contract.partnership_id, version, label)
    expected = 0 if row is None else row.amount_halalas
    period = book.period_so_far(label)
    base = period.partner_base_halalas
    guarantee, top_up, recovered, outstanding = guarantee_of(
        book.terms(version).terms["guarantee"], expected, base, contract.outstanding_halalas
    )
    net = period.collected_halalas - period.reversed_halalas
    partner_total = base + top_up - recovered
    return Statement(
        partnership_id=contract.partnership_id,
        period=label,
        contract_version=version,
        opening_cumulative_halalas=contract.closing_cumulative_halalas,
        collected_halalas=period.collected_halalas,
        reversed_halalas=period.reversed_halalas,
        net_halalas=net,
        prior_period_halalas=period.prior_period_halalas,
        closing_cumulative_halalas=contract.closing_cumulative_halalas + net,
        partner_base_halalas=base,
        guarantee_halalas=guarantee,
        top_up_halalas=top_up,
        recovered_halalas=recovered,
        top_up_outstanding_halalas=outstanding,
        partner_total_halalas=partner_total,
        treasury_total_halalas=net - partner_total,
        expected_halalas=expected,
        first_index=period.first_index,
        last_index=period.last_index,
        closing_index=closing_index,
    )


def guarantee_of(guarantee: Data | None, expected: int, base: int, outstanding: int) -> tuple[int, int, int, int]:
    """(guarantee g, top-up, recovered, outstanding after) of a period whose partner postings sum to `base`."""
    if guarantee is None:
        return 0, 0, 0, outstanding
    least = guarantee["partner_floor_bp_of_expected"] * expected // BASIS_POINTS
    top_up = max(0, least - base)
    if not guarantee["recoverable"]:
        return least, top_up, 0, outstanding
    recovered = min(outstanding, max(0, base - least))
    return least, top_up, recovered, outstanding + top_up - recovered


def statement_data(statement: Statement) -> Data:
    """The statement as `events.md` §5 names its fields."""
    return {name: getattr(statement, name) for name in _FIELDS}


def settlement_issued(statement: Statement, recorded: str) -> OutboxEvent:
    """The event that announces a statement, at the recorded time of its cause."""
    partnership_id, period = statement.partnership_id, statement.period
    return OutboxEvent(
        id=f"settlement.{partnership_id}.{period}",
        type="settlement.issued",
        subject=f"partnership/{partnership_id}",
        data=statement_data(statement),
        time=recorded,
        cause_index=statement.closing_index,
    )


def fits_json(statement: Statement) -> bool:
    """Whether every number fits into an event: all are within ±(2⁵³ − 1)."""
    numbers = (getattr(statement, name) for name in _FIELDS)
    return all(abs(number) <= INTEGER_MAX for number in numbers if isinstance(number, int))


def _was_closed(book: Book, label: str) -> bool:
    """Whether the period was closed. Labels of another calendar or kind are not the contract's."""
    contract = book.contract
    return period_kind(label) == contract.period_kind and contract.first_period <= label and book.is_closed(label)


def _close(books: Books, book: Book, statement: Statement) -> None:
    contract, index, label = book.contract, statement.closing_index, statement.period
    book.period(label).closing_index = index
    following = next_period(label)
    contract.closed_through = label
    contract.open_period = following if following <= contract.last_period else None
    contract.closing_cumulative_halalas = statement.closing_cumulative_halalas
    contract.outstanding_halalas = statement.top_up_outstanding_halalas
    contract.top_ups_halalas += statement.top_up_halalas
    contract.payable_halalas += statement.partner_total_halalas
    book.transfer(index, 0, "top-up", label, statement.top_up_halalas)
    book.transfer(index, 1, "recovery", label, statement.recovered_halalas)
    book.changed_at(index)
    books.rows.append(STATEMENT, statement)


def _sha256(statement: Data) -> str:
    return sha256(canonical_bytes(statement)).hexdigest()
