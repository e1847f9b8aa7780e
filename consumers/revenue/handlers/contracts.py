"""Events about the contract: signed, amended, terminated, reassigned (R1–R3, R5, R10).

Each function takes the books and an entry, changes rows or returns the one anomaly that applies first (§3).
"""

from __future__ import annotations

from typing import Final

from consumers.replay.fold.anomaly import Anomaly, anomaly
from consumers.revenue.handlers.book import Book, Books
from consumers.revenue.rows import CONTRACT, EXPECTED, VERSION, Contract, ContractVersion, Expected
from events.values.data import Data
from events.values.periods import next_period, period_kind, period_of
from events.wire.entry import Entry

AMENDMENTS_MAX: Final = 100
_STATE: Final = ("starts_on", "ends_on", "terminated_on", "open_period", "latest_dated_on")
_FIXED_TERMS: Final = ("starts_on", "calendar", "period", "tier_basis")
"""Terms that no amendment may change; the others are `ends_on, bands, cap, guarantee, expected`."""


def signed(books: Books, entry: Entry) -> Anomaly | None:
    """A new contract, with version 0 in force from its first period."""
    data = entry.data
    book = books.find(data["partnership_id"])
    if book is not None:
        owner = book.contract.owner
        return anomaly(entry, "already-signed" if owner == entry.agency else "not-owner", {"owner": owner})
    contract = new_contract(entry)
    books.rows.put(CONTRACT, contract)
    _put_version(books, contract, entry, None)
    return None


def amended(books: Books, book: Book, entry: Entry) -> Anomaly | None:
    """A new version, in force from `effective_from` on (R5)."""
    data = entry.data
    contract = book.contract
    if not _may_amend(book, data):
        return anomaly(entry, "not-allowed-now", _state(contract))
    contract.versions.append(data["effective_from"])
    contract.ends_on = contract.last_day = data["terms"]["ends_on"]
    _set_last_period(book)
    _put_version(books, contract, entry, data["reason"])
    book.changed_at(entry.index)
    return None


def terminated(books: Books, book: Book, entry: Entry) -> Anomaly | None:
    """The contract ends early; the period of `on` becomes its last (R10)."""
    on = entry.data["on"]
    contract = book.contract
    if contract.terminated_on is not None:
        return anomaly(entry, "already-terminated", {"terminated_on": contract.terminated_on})
    dated_before = contract.latest_dated_on is not None and on < contract.latest_dated_on
    in_term = contract.starts_on <= on <= contract.ends_on
    if not in_term or dated_before or book.is_closed(book.period_of(on)):
        return anomaly(entry, "not-allowed-now", _state(contract))
    contract.terminated_on = contract.last_day = on
    _set_last_period(book)
    book.changed_at(entry.index)
    return None


def reassigned(books: Books, entry: Entry) -> Anomaly | None:
    """The office assigns the partnership to another agency."""
    book = books.find(entry.data["partnership_id"])
    if book is None:
        return anomaly(entry, "unknown-partnership", {})
    book.contract.owner = entry.data["to"]
    book.changed_at(entry.index)
    return None


def new_contract(entry: Entry) -> Contract:
    """The contract that an entry signs."""
    data, terms = entry.data, entry.data["terms"]
    first_period = period_of(terms["starts_on"], terms["calendar"], terms["period"])
    return Contract(
        partnership_id=data["partnership_id"],
        owner=entry.agency,
        partner=data["partner"],
        services=data["services"],
        legal_basis=data["legal_basis"],
        signed_on=data["signed_on"],
        starts_on=terms["starts_on"],
        ends_on=terms["ends_on"],
        calendar=terms["calendar"],
        period_kind=terms["period"],
        tier_basis=terms["tier_basis"],
        terminated_on=None,
        last_day=terms["ends_on"],
        first_period=first_period,
        last_period=period_of(terms["ends_on"], terms["calendar"], terms["period"]),
        closed_through=None,
        open_period=first_period,
        versions=[first_period],
        first_index=entry.index,
        last_index=entry.index,
    )


def _put_version(books: Books, contract: Contract, entry: Entry, reason: Data | None) -> None:
    """Store the terms under the newest number; expected revenue has a row per period."""
    partnership_id, version = contract.partnership_id, len(contract.versions) - 1
    terms = {name: value for name, value in entry.data["terms"].items() if name != "expected"}
    row = ContractVersion(partnership_id, version, contract.versions[version], terms, reason, entry.index)
    books.rows.put(VERSION, row)
    for expected in entry.data["terms"]["expected"]:
        row_of_period = Expected(partnership_id, version, expected["period"], expected["amount_halalas"], entry.index)
        books.rows.put(EXPECTED, row_of_period)


def _may_amend(book: Book, data: Data) -> bool:
    """R5: the same fixed terms, from an unclosed period of the amended term, before which all that counted is dated.

    Versions are bounded, since every period looks for its own among them.
    """
    contract, terms, effective_from = book.contract, data["terms"], data["effective_from"]
    if contract.terminated_on is not None or len(contract.versions) > AMENDMENTS_MAX:
        return False
    fixed = (contract.starts_on, contract.calendar, contract.period_kind, contract.tier_basis)
    if fixed != tuple(terms[name] for name in _FIXED_TERMS) or period_kind(effective_from) != contract.period_kind:
        return False
    if not contract.first_period <= effective_from <= book.period_of(terms["ends_on"]):
        return False
    latest = contract.latest_dated_on
    return not book.is_closed(effective_from) and (latest is None or book.period_of(latest) < effective_from)


def _set_last_period(book: Book) -> None:
    """Update the last and the open period after the last day changed; extending a fully closed contract opens one."""
    contract = book.contract
    contract.last_period = book.period_of(contract.last_day)
    closed = contract.closed_through
    candidate = contract.first_period if closed is None else next_period(closed)
    contract.open_period = candidate if candidate <= contract.last_period else None


def _state(contract: Contract) -> Data:
    """The `known` side of an anomaly."""
    return {name: getattr(contract, name) for name in _STATE}
