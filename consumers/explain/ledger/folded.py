"""The revenue ledger of some entries, in memory: supposed histories are folded like real ones."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from consumers.replay.fold.memory import WholeTables
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.rows import STATEMENT, Statement
from events.wire.entry import Entry

BATCH_ENTRIES: Final = 8_192


def folded(entries: Iterable[Entry]) -> WholeTables:
    """The ledger after these entries, in log order."""
    rows, left = WholeTables(REVENUE.tables), iter(entries)
    while batch := list(islice(left, BATCH_ENTRIES)):
        REVENUE.fold(rows, batch)
    return rows


def statements_of(ledger: WholeTables) -> dict[str, Statement]:
    """By period."""
    return {row.period: row for row in ledger.rows(STATEMENT)}
