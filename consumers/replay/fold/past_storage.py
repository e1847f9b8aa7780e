"""Writes what rows were, in the transaction that changes them: what a batch was the first to change in each block, and
in each span of blocks. The parts of a block become one when it has ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter
from typing import Final

from consumers.replay.fold.past_rows import (
    PAST_SPAN,
    KeepingUnitOfWork,
    PastRow,
    block_start,
    is_kept,
    key_text,
    may_be_first_in_span,
    row_text,
    span_start,
)
from infra.postgres.connection import Connection
from infra.postgres.row_storage import load
from infra.postgres.sql import queries
from infra.postgres.unit_of_work import UnitOfWork

_SQL: Final = queries("consumers.replay.fold", "past_storage.sql")
_COLUMNS_OF: Final = attrgetter(*PAST_SPAN.columns)

Part = tuple[str, int, int, list[str], list[str | None]]


async def keep(connection: Connection, rows: KeepingUnitOfWork) -> None:
    """Keep what the rows were that the batch has changed. Call it before they are saved."""
    unread, unread_of_spans = await _unread(connection, rows)
    parts = list(_parts([*unread, *rows.past()], rows.first_indexes))
    if parts:
        await connection.executemany(_SQL["keep_part"], parts)
    firsts = unread_of_spans + rows.past_of_spans()
    if firsts:
        await connection.execute(_SQL["keep_firsts"], *map(list, zip(*map(_COLUMNS_OF, firsts), strict=True)))
    if rows.first_indexes:
        first, last = block_start(max(0, min(rows.first_indexes.values()) - 1)), max(rows.first_indexes)
        if first < last:
            names = [table.name for table in rows.tables if is_kept(table)]
            await connection.execute(_SQL["join_parts"], names, first, last)


def _parts(past: list[PastRow], first_indexes: dict[int, int]) -> Iterator[Part]:
    """What is stored of each table and block, with the index that the batch has reached the block at."""
    copies: defaultdict[tuple[str, int], dict[str, str | None]] = defaultdict(dict)
    for name, key, until, row in map(_COLUMNS_OF, past):
        copies[name, until].setdefault(key, row)
    for (name, until), found in copies.items():
        keys = sorted(found)
        yield name, until, first_indexes[until], keys, [found[key] for key in keys]


async def _unread(connection: Connection, rows: KeepingUnitOfWork) -> tuple[list[PastRow], list[PastRow]]:
    """Copies of rows that were deleted unread, of those that are older than the block; and those of spans."""
    past, of_spans = [], []
    for table, keys, until in rows.deleted_unread():
        stored = UnitOfWork()
        await load(connection, stored, [(table, key) for key in keys])
        for key in keys:
            row = stored.get(table, *key)
            if row is not None and not (table.since and getattr(row, table.since) >= until):
                past.append(PastRow(table.name, key_text(key), until, row_text(table, row)))
                if may_be_first_in_span(table, row, until):
                    of_spans.append(replace(past[-1], until=span_start(until)))
    return past, of_spans
