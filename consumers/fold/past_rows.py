"""Keeps what rows were: before a row changes for the first time in a block of the log, it is copied into `past_row`.

Flows in: the rows of a batch as they were loaded, and which of them the fold changed. Flows out: rows of `past_row`,
for the same transaction. The row of a key at the beginning of a block is then its first copy from that block on, or the
row itself if there is none (`consumers.as_of.past_state`). A batch never crosses the end of a block.

A copy costs what a change costs, and a row is copied at most once per block, so nothing here grows with the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any, Final

import orjson

from events.wire.entry import Entry
from infra.postgres.unit_of_work import Key, Row, Table, UnitOfWork

BLOCK_ENTRIES: Final = 8_192
"""Entries of a block. A state inside it is its first state and the fold of what follows, so at most so many entries."""
SQL_FILE: Final = ("consumers.fold", "past_rows.sql")
"""Among the `sql_files` of a consumer whose past rows are kept."""


@dataclass(slots=True)
class PastRow:
    """The row of `key` in the table `name`, as it was at the beginning of the block `until`; None: there was none."""

    name: str
    key: str
    until: int
    row: str | None


PAST_ROW: Final = Table("past_row", PastRow, key=("name", "key", "until"), append_only=True)

_KEY_SEPARATOR: Final = "\x1f"


def block_start(index: int) -> int:
    """The first index of the block that has the entry `index`."""
    return index - index % BLOCK_ENTRIES


def blocks(entries: Sequence[Entry]) -> list[Sequence[Entry]]:
    """The entries, cut at the end of each block."""
    if not entries or block_start(entries[0].index) == block_start(entries[-1].index):
        return [entries]
    return [list(part) for _, part in groupby(entries, lambda entry: block_start(entry.index))]


def is_kept(table: Table[Any]) -> bool:
    """Whether past rows of the table are kept: those of the others never change, and show their age."""
    return not table.append_only


def key_text(key: Key) -> str:
    """A key as it stands in `past_row`."""
    return _KEY_SEPARATOR.join(map(str, key))


def key_sql(table: Table[Any], alias: str) -> str:
    """SQL for the same, of the columns of `alias`."""
    return r" || E'\x1f' || ".join(f"{alias}.{name}::text" for name in table.key)


class KeptKeys:
    """The rows that were copied in the current block: they need no second copy.

    To forget them is safe, since a copy is never replaced. It is necessary after a transaction that failed.
    """

    def __init__(self) -> None:
        self._start = -1
        self.keys: set[tuple[str, Key]] = set()

    def enter(self, start: int) -> None:
        """Begin with the block `start`, unless it is the current one."""
        if start != self._start:
            self._start = start
            self.keys.clear()

    def forget(self) -> None:
        self._start = -1


class KeepingUnitOfWork(UnitOfWork):
    """The rows of a batch in one block, with what they were when they were loaded."""

    def __init__(self, kept: KeptKeys, start: int) -> None:
        super().__init__()
        kept.enter(start)
        self._kept = kept
        self._start = start
        self._before: dict[tuple[str, Key], str] = {}

    def adopt(self, table: Table[Row], rows: Iterable[Row], *, whole: bool = False) -> None:
        rows = list(rows)
        super().adopt(table, rows, whole=whole)
        # Before the first block there is nothing.
        if self._start and is_kept(table):
            self._copy(table, rows)

    def _copy(self, table: Table[Any], rows: Iterable[Any]) -> None:
        since, kept = table.since, self._kept.keys
        for row in rows:
            name = table.name, table.key_of(row)
            if name not in kept and not (since and getattr(row, since) >= self._start):
                self._before[name] = orjson.dumps(row).decode()

    @property
    def start(self) -> int:
        """The first index of its block."""
        return self._start

    def deleted_unread(self) -> list[tuple[Table[Any], list[Key]]]:
        """What was deleted and may have to be copied, though nothing was read of it: the keys, by table."""
        found = []
        for changes in self.changes() if self._start else ():
            table, known = changes.table, (self._before, self._kept.keys)
            keys = [key for key in changes.deleted if not any((table.name, key) in names for names in known)]
            if keys:
                found.append((table, keys))
        return found

    def past(self) -> list[PastRow]:
        """Copies of the rows that the batch is the first to change in this block; they are kept from now on."""
        found = self._changed_first() if self._start else {}
        self._kept.keys.update(found)
        return [PastRow(name, key_text(key), self._start, row) for (name, key), row in found.items()]

    def _changed_first(self) -> dict[tuple[str, Key], str | None]:
        found: dict[tuple[str, Key], str | None] = {}
        for changes in self.changes():
            table = changes.table
            if not is_kept(table):
                continue
            for key in chain(changes.deleted, map(table.key_of, changes.changed)):
                name = table.name, key
                if name in self._before:
                    found[name] = self._before[name]
            if not table.since:  # no column tells that the row is new
                for key in map(table.key_of, changes.new):
                    name = table.name, key
                    if name not in self._kept.keys:
                        found.setdefault(name, None)
        return found
