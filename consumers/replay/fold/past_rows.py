"""Keeps what rows were: before a row changes for the first time in a block of the log, what may change of it is
copied. What is constant in a row is read from the row itself.

Flows in: the rows of a batch as they were loaded, and which of them the fold changed. Flows out: rows of `past_row`,
and of `past_span`, for the same transaction. A batch may have entries of more than one block.

The row of a key at the beginning of a block is its first copy from that block on, or the row itself if there is none.
To find it without reading all later blocks, `past_span` has the first copy of each span of blocks: what is not in the
rest of the block's span is found there, by its key (`consumers.replay.as_of.past_state`).

A copy costs what a change costs, and a row is copied at most once per block, so nothing here grows with the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import orjson

from events.wire.entry import Entry
from infra.postgres.unit_of_work import Key, Row, Table, UnitOfWork

BLOCK_ENTRIES: Final = 4_096
"""Entries of a block. A state inside it is its first state and the fold of what follows, so at most so many entries."""
SPAN_BLOCKS: Final = 24
"""Blocks of a span. A state inside a span reads the copies of the blocks up to its end."""
SQL_FILE: Final = ("consumers.replay.fold", "past_rows.sql")
"""Among the `sql_files` of a consumer whose past rows are kept."""


@dataclass(slots=True)
class PastRow:
    """The row of `key` in the table `name` at the beginning of the block or span `until`; None: there was none.

    `row` is a JSON array of the columns `copied_columns`.
    """

    name: str
    key: str
    until: int
    row: str | None


PAST_ROW: Final = Table("past_row", PastRow, key=("name", "key", "until"), append_only=True)
"""A view of `past_block`."""
PAST_SPAN: Final = Table("past_span", PastRow, key=("name", "key", "until"), append_only=True)

Place = tuple[str, int]
Copies = dict[Place, dict[str, str | None]]
"""By table and block, or span: key → row, as in `PastRow`."""
_KEY_SEPARATOR: Final = "\x1f"


def block_start(index: int) -> int:
    """The first index of the block that has the entry `index`."""
    return index - index % BLOCK_ENTRIES


def span_start(index: int) -> int:
    """The first index of the span that has the entry `index`."""
    return index - index % (SPAN_BLOCKS * BLOCK_ENTRIES)


def span_end(start: int) -> int:
    """The first beginning of a span from `start` on: copies from there on are found by their keys."""
    return -span_start(-start)


def blocks(entries: Sequence[Entry]) -> list[Sequence[Entry]]:
    """The entries, cut at the end of each block."""
    if not entries or block_start(entries[0].index) == block_start(entries[-1].index):
        return [entries]
    return [list(part) for _, part in groupby(entries, lambda entry: block_start(entry.index))]


@cache
def is_kept(table: Table[Any]) -> bool:
    """Whether past rows of the table are kept: those of the others never change, and show their age."""
    return not table.append_only and (table.transient or bool(table.changing))


def copied_columns(table: Table[Any]) -> tuple[str, ...]:
    """What is copied of a row: what may change, and all of a row that may be deleted."""
    return table.columns if table.transient else table.changing


@cache
def _values_of(table: Table[Any]) -> Callable[[Any], Any]:
    names = copied_columns(table)
    only = attrgetter(names[0])
    return attrgetter(*names) if len(names) > 1 else lambda row: [only(row)]


def row_text(table: Table[Any], row: Any) -> str:
    """A row as it is in `past_row`."""
    # A row that this batch made has its members in the event's order, one that was stored in PostgreSQL's.
    return orjson.dumps(_values_of(table)(row), option=orjson.OPT_SORT_KEYS).decode()


def may_be_first_in_span(table: Table[Any], row: Any, start: int) -> bool:
    """Whether a copy in the block `start` may be the first of its key in the span.

    It is not if the row was made or changed in the span before. In the first span nothing is searched by its key.
    """
    return _last_index_of(table)(row) < span_start(start)


@cache
def _last_index_of(table: Table[Any]) -> Callable[[Any], int]:
    """The latest entry that a row names."""
    first, last = (attrgetter(name) if name in table.columns else lambda row: 0 for name in (table.since, "last_index"))
    return lambda row: max(first(row) or 0, last(row) or 0)


def keep_first(copies: Copies, place: Place, later: dict[str, str | None]) -> None:
    """Add later copies to those of a block or span: of two copies of a row the first stays."""
    if later:
        copies[place] = later | copies.get(place, {})


def key_text(key: Key) -> str:
    """A key as it is in `past_row`."""
    return _KEY_SEPARATOR.join(map(str, key))


def key_sql(table: Table[Any], alias: str) -> str:
    """SQL for the same, of the columns of `alias`."""
    return r" || E'\x1f' || ".join(f"{alias}.{name}::text" for name in table.key)


class KeptKeys:
    """The rows that were copied in the current block: they need no second copy.

    To forget them is safe, since the first copy counts. It is necessary after a transaction that failed.
    """

    def __init__(self) -> None:
        self._start = -1
        self._keys: defaultdict[Table[Any], set[Key]] = defaultdict(set)

    def enter(self, start: int) -> None:
        """Continue in the block `start`."""
        if start != self._start:
            self._start = start
            self._keys.clear()

    def of(self, table: Table[Any]) -> set[Key]:
        return self._keys[table]

    def forget(self) -> None:
        self._start = -1


class KeepingUnitOfWork(UnitOfWork):
    """The rows of a batch, with what they were at the beginning of each of its blocks.

    The entries are folded block by block (`by_block`). A row is noted when the fold first reads it in the block,
    so that it can be changed in place.
    """

    def __init__(self, kept: KeptKeys) -> None:
        super().__init__(with_views=True)
        self.first_indexes: dict[int, int] = {}
        """Block → the first of the batch's entries in it."""
        self._start = 0
        self._kept = kept
        self._before: defaultdict[Table[Any], dict[Key, str | None]] = defaultdict(dict)
        self._seen: defaultdict[Table[Any], set[Key]] = defaultdict(set)
        self._changed: defaultdict[Table[Any], dict[Key, None]] = defaultdict(dict)
        self._unread: defaultdict[Table[Any], list[Key]] = defaultdict(list)
        self._later: defaultdict[Table[Any], set[Key]] = defaultdict(set)
        self._past: Copies = {}
        self._past_of_spans: Copies = {}
        self._deleted_unread: list[tuple[Table[Any], list[Key], int]] = []

    def by_block(self, entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
        """The entries in parts, each of one block: fold one before the next is taken."""
        for part in blocks(entries):
            if part:
                self.enter(part[0].index)
            yield part

    def enter(self, first_index: int) -> None:
        """The entries from this one on, of one block, follow."""
        self._leave()
        self.scratch = None  # the fold reads its rows again: they may change in this block too
        self._start = block_start(first_index)
        self.first_indexes[self._start] = first_index
        self._kept.enter(self._start)

    def get(self, table: Table[Row], *key: Any) -> Row | None:
        row = super().get(table, *key)
        if row is not None and key not in self._seen[table]:
            self._note(table, key, row)
        return row

    def rows(self, table: Table[Row]) -> Iterator[Row]:
        for row in super().rows(table):
            self._note(table, table.key_of(row), row)
            yield row

    def put(self, table: Table[Row], row: Row) -> None:
        key = table.key_of(row)
        if self._start:
            self._will_change(table, key)
        self.put_row(table, key, row)

    def delete(self, table: Table[Row], *key: Any) -> None:
        if self._start:
            known = self.tables[table]
            if key not in known.rows and not known.whole and key not in self._kept.of(table):
                self._unread[table].append(key)
            self._will_change(table, key)
        super().delete(table, *key)

    def past(self) -> Copies:
        """Copies of the rows that the batch is the first to change in a block."""
        self._leave()
        return self._past

    def past_of_spans(self) -> Copies:
        """Those of them that may be the first in a span, as of its beginning."""
        self._leave()
        return self._past_of_spans

    def deleted_unread(self) -> list[tuple[Table[Any], list[Key], int]]:
        """What was deleted though nothing was read of it: (table, keys, block). It may have to be copied."""
        self._leave()
        return self._deleted_unread

    def _note(self, table: Table[Any], key: Key, row: Any) -> None:
        seen, before = self._seen[table], self._before[table]
        if key in seen:
            return
        seen.add(key)
        # A row that this block made was not there before, and is not copied.
        if not self._start or not is_kept(table) or (table.since and getattr(row, table.since) >= self._start):
            return
        if key not in before and key not in self._kept.of(table):
            before[key] = row_text(table, row)
            if not may_be_first_in_span(table, row, self._start):
                self._later[table].add(key)

    def _will_change(self, table: Table[Any], key: Key) -> None:
        known = self.tables[table]
        row = known.rows.get(key)
        if row is not None:
            self._note(table, key, row)
        # No column tells that the row is new.
        elif not table.since and is_kept(table) and (known.whole or key in known.rows):
            self._before[table].setdefault(key, None)
        if key in self._before[table]:
            self._changed[table][key] = None

    def _leave(self) -> None:
        """Keep what the block has changed."""
        for table, changed in self._changed.items():
            before, kept, later = self._before[table], self._kept.of(table), self._later[table]
            first = {key: key_text(key) for key in changed if key not in kept}
            kept.update(first)
            keep_first(self._past, (table.name, self._start), {text: before[key] for key, text in first.items()})
            if span := span_start(self._start):
                firsts = {text: before[key] for key, text in first.items() if key not in later}
                keep_first(self._past_of_spans, (table.name, span), firsts)
        self._deleted_unread += [(table, keys, self._start) for table, keys in self._unread.items()]
        for noted in (self._before, self._seen, self._changed, self._unread, self._later):
            noted.clear()
