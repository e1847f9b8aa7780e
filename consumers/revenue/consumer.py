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
from consumers.revenue.handlers.book import Books
from consumers.revenue.handlers.required_keys import required_keys
from consumers.revenue.rows import (
    ACCOUNT,
    CONTRACT,
    EXPECTED,
    PAYOUT,
    PERIOD,
    RECEIPT,
    REVERSAL,
    STATEMENT,
    TRANSFER,
    VERSION,
    WINDOW,
)
from events.wire.entry import Entry
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import UnitOfWork

HANDLERS: Final[dict[str, Callable[[Books, Entry], Anomaly | None]]] = {
    "partnership.signed": contracts.signed,
    "partnership.amended": contracts.amended,
    "partnership.terminated": contracts.terminated,
    "partnership.reassigned": contracts.reassigned,
    "revenue.collected": receipts.collected,
    "revenue.reversed": receipts.reversed_,
    "revenue.period-closed": closing.period_closed,
    "revenue.paid-out": closing.paid_out,
    "settlement.issued": closing.settled,
}


def fold(rows: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
    """Apply entries in log order; returns the settlements."""
    books: Books = rows.scratch or Books(rows)
    rows.scratch = books
    for entry in entries:
        handler = HANDLERS.get(entry.type)
        if handler is not None:
            found = handler(books, entry)
            if found is not None:
                anomaly.report(rows, found)
    decided, books.decided = books.decided, []
    return decided


CONSUMER: Final = Consumer(
    name="revenue",
    schema="revenue",
    tables=(
        CONTRACT,
        VERSION,
        EXPECTED,
        PERIOD,
        WINDOW,
        RECEIPT,
        REVERSAL,
        PAYOUT,
        ACCOUNT,
        TRANSFER,
        STATEMENT,
        *anomaly.TABLES,
    ),
    sql_files=(anomaly.SQL_FILE, PAST_ROWS, ("consumers.revenue", "tables.sql")),
    required_keys=lambda rows, entries: required_keys(rows, [one for one in entries if one.type in HANDLERS]),
    fold=fold,
    version=version_of("revenue"),
)
