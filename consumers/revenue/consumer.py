"""The revenue-share consumer: which function applies which event, over which tables.

It stores contracts, prices receipts and reversals, closes periods and pays out (R1–R14 of `events.md`). A closed period
decides one platform event, `settlement.issued`, and is compared with it when it comes back. It applies
`partnership.signed`, `.amended`, `.terminated`, `.reassigned` and `revenue.*`; the projections apply the other events
about partnerships.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from consumers.replay.fold import anomaly
from consumers.replay.fold.anomaly import Anomaly
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.past_rows import SQL_FILE as PAST_ROWS
from consumers.replay.fold.version import version_of
from consumers.revenue.handlers import closing, contracts, receipts
from consumers.revenue.handlers.book import Book, Books
from consumers.revenue.handlers.required_keys import required_keys
from consumers.revenue.rows import TABLES
from events.wire.entry import Entry
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import UnitOfWork

_OF_OWNER: Final[dict[str, Callable[[Books, Book, Entry], Anomaly | None]]] = {
    "partnership.amended": contracts.amended,
    "partnership.terminated": contracts.terminated,
    "revenue.collected": receipts.collected,
    "revenue.reversed": receipts.reversed_,
    "revenue.period-closed": closing.period_closed,
    "revenue.paid-out": closing.paid_out,
}
"""What only the owner of a partnership may send about it."""
_OF_OTHERS: Final[dict[str, Callable[[Books, Entry], Anomaly | None]]] = {
    "partnership.signed": contracts.signed,
    "partnership.reassigned": contracts.reassigned,
    "settlement.issued": closing.settled,
}
HANDLERS: Final = _OF_OWNER.keys() | _OF_OTHERS.keys()
"""The types of the events that are applied."""


def fold(rows: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
    """Apply entries in log order; returns the settlements."""
    books: Books = rows.scratch or Books(rows)
    rows.scratch = books
    for entry in entries:
        found = _apply(books, entry)
        if found is not None:
            anomaly.report(rows, found)
    decided, books.decided = books.decided, []
    return decided


def _apply(books: Books, entry: Entry) -> Anomaly | None:
    if entry.type in _OF_OWNER:
        book = books.owned(entry)
        return book if isinstance(book, Anomaly) else _OF_OWNER[entry.type](books, book, entry)
    return _OF_OTHERS[entry.type](books, entry) if entry.type in _OF_OTHERS else None


CONSUMER: Final = Consumer(
    name="revenue",
    schema="revenue",
    tables=(*TABLES, *anomaly.TABLES),
    sql_files=(anomaly.SQL_FILE, PAST_ROWS, ("consumers.revenue", "tables.sql")),
    required_keys=lambda rows, entries: required_keys(rows, [one for one in entries if one.type in HANDLERS]),
    fold=fold,
    version=version_of("revenue"),
)
