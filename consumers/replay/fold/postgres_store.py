"""The rows of a consumer in PostgreSQL: the tables that `search_path` selects, within the caller's transactions.

Writes what rows were, in the transaction that changes them: what a batch was the first to change in each block, and
in each span of blocks. The parts of a block become one when it has ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from consumers.replay.fold.apply import StoredKeys
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.past_rows import (
    Copies,
    KeepingUnitOfWork,
    KeptKeys,
    block_start,
    is_kept,
    keep_first,
    key_text,
    may_be_first_in_span,
    row_text,
    span_start,
)
from infra.postgres.connection import Connection
from infra.postgres.row_storage import json_array, load, read, save, text_array
from infra.postgres.sql import queries
from infra.postgres.unit_of_work import Key, Table, UnitOfWork

_SQL: Final = queries("consumers.replay.fold", "past_storage.sql")

Part = tuple[str, int, int, str, str]


async def keep(connection: Connection, rows: KeepingUnitOfWork) -> None:
    """Keep what the rows were that the batch has changed. Call it before they are saved."""
    past, of_spans = await _unread(connection, rows)
    for copies, later in ((past, rows.past()), (of_spans, rows.past_of_spans())):
        for place, found in later.items():
            keep_first(copies, place, found)
    if parts := list(_parts(past, rows.first_indexes)):
        await connection.executemany(_SQL["keep_part"], parts)
    for (name, until), firsts in of_spans.items():
        await connection.execute(_SQL["keep_firsts"], name, until, text_array(firsts), json_array([*firsts.values()]))
    if rows.first_indexes:
        first, last = block_start(max(0, min(rows.first_indexes.values()) - 1)), max(rows.first_indexes)
        if first < last:
            names = [table.name for table in rows.tables if is_kept(table)]
            await connection.execute(_SQL["join_parts"], names, first, last)


def _parts(past: Copies, first_indexes: Mapping[int, int]) -> Iterator[Part]:
    """What is stored of each table and block, with the index that the batch has reached the block at."""
    for (name, until), copies in past.items():
        keys = sorted(copies)
        yield name, until, first_indexes[until], text_array(keys), json_array([copies[key] for key in keys])


async def _unread(connection: Connection, rows: KeepingUnitOfWork) -> tuple[Copies, Copies]:
    """Copies of rows that were deleted unread, of those that are older than the block; and those of spans."""
    past: defaultdict[tuple[str, int], dict[str, str | None]] = defaultdict(dict)
    of_spans: defaultdict[tuple[str, int], dict[str, str | None]] = defaultdict(dict)
    for table, keys, until in rows.deleted_unread():
        stored = UnitOfWork()
        await load(connection, stored, [(table, key) for key in keys])
        for key in keys:
            row = stored.get(table, *key)
            if row is not None and not (table.since and getattr(row, table.since) >= until):
                text = past[table.name, until][key_text(key)] = row_text(table, row)
                if may_be_first_in_span(table, row, until):
                    of_spans[table.name, span_start(until)][key_text(key)] = text
    return past, of_spans


class PostgresStore:
    """With `kept`, the store also keeps what its rows were. `stored`: which keys it may have, where it began empty."""

    def __init__(self, connection: Connection, kept: KeptKeys | None = None, stored: StoredKeys | None = None) -> None:
        self._connection = connection
        self._kept = kept
        self._stored = stored

    def begin(self) -> UnitOfWork:
        return UnitOfWork(with_views=True) if self._kept is None else KeepingUnitOfWork(self._kept)

    async def read(self, table: Table[Any], keys: list[Key] | None) -> Iterable[Any]:
        if keys is not None and self._stored is not None:
            keys = self._stored.maybe(table, keys)
        return [] if keys == [] else await read(self._connection, table, keys)

    async def write(self, rows: UnitOfWork) -> None:
        if isinstance(rows, KeepingUnitOfWork):
            await keep(self._connection, rows)
        await save(self._connection, rows)
        if self._stored is not None:
            self._stored.note(rows)

    def forget(self) -> None:
        """Call it after a transaction that failed while it was written: what it kept was lost."""
        if self._kept is not None:
            self._kept.forget()


def live_store(connection: Connection, consumer: Consumer) -> PostgresStore:
    """The live tables, with what their rows were where the consumer keeps that."""
    return PostgresStore(connection, KeptKeys() if consumer.keeps_past else None)
