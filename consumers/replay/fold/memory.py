"""Rows that stay in memory from one batch to the next, and are written nowhere.

Notes what single entries make of the rows of some tables: for explanations, and for the first difference.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from infra.postgres.unit_of_work import Key, Table, UnitOfWork

Row = TypeVar("Row")
Read = Callable[[Table[Any], list[Key] | None], Coroutine[Any, Any, Iterable[Any]]]


class MemoryStore:
    """What a fold changes of the rows that `read` gives."""

    def __init__(self, read: Read) -> None:
        self.rows = UnitOfWork()
        self.read = read

    def begin(self) -> UnitOfWork:
        return self.rows

    async def write(self, rows: UnitOfWork) -> None:
        """They are where they stay."""


class WholeTables(UnitOfWork):
    """Tables that begin empty and are known as a whole, so that a fold needs nothing loaded.

    `rows` gives those of any table, in the order in which they were made. Tables `without` are not kept: append-only
    ones, which no fold reads.
    """

    def __init__(self, tables: Sequence[Table[Any]], without: Sequence[Table[Any]] = ()) -> None:
        super().__init__()
        self._without = frozenset(without)
        for table in tables:
            self.adopt(table, (), whole=True)

    def append(self, table: Table[Row], row: Row) -> None:
        if table not in self._without:
            self.put(table, row)


class WatchedUnitOfWork(UnitOfWork):
    """The rows of a batch that is folded entry by entry.

    `watched` gives, for each watched table, a copy of what counts of a row; it is asked with None where there is none.
    """

    def __init__(self, watched: Mapping[Table[Any], Callable[[Any], Any]]) -> None:
        super().__init__()
        self._watched = watched
        self._before: dict[tuple[Table[Any], Key], Any] = {}
        self._written: dict[tuple[Table[Any], Key], Any] = {}

    def begin(self) -> None:
        """The next entry begins."""
        self.scratch = None  # the fold reads the rows again, so that they are seen as they are before this entry
        self._before.clear()
        self._written.clear()

    def changed(self) -> Iterator[tuple[Table[Any], Key, Any, Any]]:
        """Table, primary key, what counted before the entry and what does now, of each row that it has written."""
        for (table, key), row in self._written.items():
            yield table, key, self._before[table, key], self._watched[table](row)

    def get(self, table: Table[Row], *key: Any) -> Row | None:
        row = super().get(table, *key)
        self._note(table, key, row)
        return row

    def rows(self, table: Table[Row]) -> Iterator[Row]:
        for row in super().rows(table):
            self._note(table, table.key_of(row), row)
            yield row

    def put(self, table: Table[Row], row: Row) -> None:
        if table in self._watched:
            self._write(table, table.key_of(row), row)
        super().put(table, row)

    def delete(self, table: Table[Row], *key: Any) -> None:
        if table in self._watched:
            self._write(table, key, None)
        super().delete(table, *key)

    def append(self, table: Table[Row], row: Row) -> None:
        if table in self._watched:
            self._write(table, table.key_of(row), row)
        super().append(table, row)

    def _write(self, table: Table[Any], key: Key, row: Any) -> None:
        # A fold writes some rows that it has not read: they are as they were loaded, or new.
        self._note(table, key, self.tables[table].rows.get(key))
        self._written[table, key] = row

    def _note(self, table: Table[Any], key: Key, row: Any) -> None:
        """Keep what counts of the row before this entry. Folds change rows in place, but read each of them first."""
        if table in self._watched and (table, key) not in self._before:
            self._before[table, key] = self._watched[table](row)
