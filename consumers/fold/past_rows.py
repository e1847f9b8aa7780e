"""Keeps what rows were: before a row changes for the first time in a block of the log, it is copied into `past_row`.

Flows in: the rows of a batch as they were loaded, and which of them the fold changed. Flows out: rows of `past_row`,
for the same transaction. The row of a key at the beginning of a block is then its first copy from that block on, or the
row itself if there is none (`consumers.as_of.past_state`). A batch never crosses the end of a block.

A copy costs what a change costs, and a row is copied at most once per block, so nothing here grows with the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import orjson

from events.wire.entry import Entry
from infra.postgres.unit_of_work import Key, Row, Table, TableRows, UnitOfWork

BLOCK_ENTRIES: Final = 4_096
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
        self._keys: defaultdict[Table[Any], set[Key]] = defaultdict(set)

    def enter(self, start: int) -> None:
        """Begin with the block `start`, unless it is the current one."""
        if start != self._start:
            self._start = start
            self._keys.clear()

    def of(self, table: Table[Any]) -> set[Key]:
        return self._keys[table]

    def forget(self) -> None:
        self._start = -1


class KeepingUnitOfWork(UnitOfWork):
    """The rows of a batch in the block `start`, with what they were when they were loaded."""

    def __init__(self, kept: KeptKeys, start: int) -> None:
        super().__init__()
        kept.enter(start)
        self.start = start
        self._kept = kept
        self._before: defaultdict[Table[Any], dict[Key, str]] = defaultdict(dict)

    def adopt(self, table: Table[Row], rows: Iterable[Row], *, whole: bool = False) -> None:
        rows = list(rows)
        super().adopt(table, rows, whole=whole)
        # Before the first block there is nothing.
        if rows and self.start and is_kept(table):
            self._copy(table, rows)

    def _copy(self, table: Table[Any], rows: Iterable[Any]) -> None:
        since, kept, before = table.since, self._kept.of(table), self._before[table]
        for row in rows:
            key = table.key_of(row)
            if key not in kept and not (since and getattr(row, since) >= self.start):
                before[key] = orjson.dumps(row).decode()

    def deleted_unread(self) -> Iterator[tuple[Table[Any], list[Key]]]:
        """What was deleted and may have to be copied, though nothing was read of it: the keys, by table."""
        for table, known in self.tables.items():
            if known.deleted and self.start:
                copied = self._before[table].keys() | self._kept.of(table)
                keys = [key for key in known.deleted if key not in copied]
                if keys:
                    yield table, keys

    def past(self) -> list[PastRow]:
        """Copies of the rows that the batch is the first to change in this block; they are kept from now on."""
        found: list[PastRow] = []
        for table, known in self.tables.items() if self.start else ():
            if is_kept(table):
                first = self._changed_first(table, known)
                self._kept.of(table).update(first)
                found += [PastRow(table.name, key_text(key), self.start, row) for key, row in first.items()]
        return found

    def _changed_first(self, table: Table[Any], known: TableRows) -> dict[Key, str | None]:
        before = self._before.get(table, {})
        found: dict[Key, str | None] = {key: before[key] for key in (*known.deleted, *known.changed) if key in before}
        if not table.since:  # no column tells that a row is new
            kept = self._kept.of(table)
            for key in known.new:
                if key not in kept:
                    found.setdefault(key, None)
        return found
