"""Rows that stay in memory from one batch to the next, and are written nowhere."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
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
