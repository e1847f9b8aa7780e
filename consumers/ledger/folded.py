"""The revenue ledger of some entries, in memory: supposed histories are folded like real ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from consumers.revenue.consumer import CONSUMER as REVENUE
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Table, UnitOfWork

BATCH_ENTRIES: Final = 8_192
Row = TypeVar("Row")


class FoldedLedger:
    """The read models after some entries."""

    def __init__(self, rows: UnitOfWork) -> None:
        self._rows = {changes.table: [*changes.new, *changes.appended] for changes in rows.changes()}

    def rows(self, table: Table[Row]) -> list[Row]:
        """All rows of a table, in the order in which they were made."""
        return self._rows.get(table, [])


class _WholeLedger(UnitOfWork):
    """Every table is known as a whole, from no row at all, so that a fold requests nothing."""

    def __init__(self, without: Sequence[Table[Any]]) -> None:
        super().__init__()
        self._without = frozenset(without)
        for table in REVENUE.tables:
            self.adopt(table, (), whole=True)

    def append(self, table: Table[Row], row: Row) -> None:
        if table not in self._without:
            super().append(table, row)


def folded(entries: Iterable[Entry], *, without: Sequence[Table[Any]] = ()) -> FoldedLedger:
    """Fold entries in log order. Append-only tables `without` are not kept: no fold reads them."""
    rows, left = _WholeLedger(without), iter(entries)
    while batch := list(islice(left, BATCH_ENTRIES)):
        REVENUE.fold(rows, batch)
    return FoldedLedger(rows)
