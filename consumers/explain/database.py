"""The database as a source: the event index leads to the entries of a scope, in one snapshot with the live tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final

from consumers.documents.formulas import result
from consumers.documents.log.explanations import Figures
from consumers.explain.explain import Raw, Reach, Source
from consumers.explain.figures import EVERYTHING, KeyFigures, Part, Scope, Sum
from consumers.models.registry import CONSUMERS
from consumers.replay.as_of.point_in_time import PointInTime
from consumers.replay.as_of.view import NoSuchIndex, View, index_of, view
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.event_index.read import Query, as_full_type, find_indexes
from events.errors import YesserError
from events.wire.entry import parse_entry
from infra.log.reader import chosen_entries, entry_batches
from infra.log.texts import texts_of
from infra.postgres.connection import Connection
from infra.settings import Settings

PAGE_INDEXES: Final = 8_192
READ_ENTRIES: Final = 512
"""Entries that are read at once: while they are folded, the transaction waits, and the server ends it after seconds."""
PREFETCHED_ROWS: Final = 4_096
UNINDEXED_MAX: Final = 2_048
"""Entries beyond the index of events that are looked through where few are wanted: some tenths of a second."""
KEYS_MAX: Final = 10_000
"""Keys among which a similar one is looked for."""


class TooManyEntries(YesserError):
    """There are more entries than are wanted, or more to look through."""


class DatabaseSource(Source):
    """The log and the live tables in one snapshot; `end`: explain only the first entries."""

    def __init__(self, shown: View, end: int | None) -> None:
        self._view = shown
        self._given_end = end
        self._end = 0
        self._is_live = False

    async def reach(self, parts: Iterable[Part]) -> Reach:
        """As far as the figures' consumers have applied the log. Raises `NoSuchIndex`."""
        positions = {self._view.positions[part.consumer.name] for part in parts}
        self._end = min(positions)
        if self._given_end is not None and self._given_end > self._end:
            raise NoSuchIndex(f"{self._end} entries are applied: there is no state after {self._given_end}.")
        self._is_live = len(positions) == 1 and self._given_end in (None, self._end)
        self._end = self._end if self._given_end is None else self._given_end
        return Reach(self._end)

    def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        return entries_in(self._view, self._end, scope)

    async def few_entries(self, scope: Scope, entries_max: int) -> list[Raw]:
        """See `few_entries_in`. Raises `TooManyEntries`."""
        return await few_entries_in(self._view, self._end, scope, entries_max)

    async def live(self, chosen: KeyFigures) -> Figures | None:
        if not self._is_live:
            return None
        sums = {part: Sum(part) for part in chosen.parts}
        of_same_rows = defaultdict[Any, list[Part]](list)  # each row is read once
        for part in sums:
            of_same_rows[part.consumer.name, part.table, tuple(part.where.items())].append(part)
        for same in of_same_rows.values():
            async for row in self._rows(same[0]):
                key = same[0].table.key_of(row)
                for part in same:
                    sums[part].change(key, None, part.of(row))
        return {name: result(figure, lambda part: sums[part].value) for name, figure in chosen.figures.items()}

    async def keys(self, part: Part) -> list[tuple[Any, ...]]:
        connection = await self._view.use(part.consumer)
        columns = ", ".join(part.table.key)
        return [
            tuple(row) for row in await connection.fetch(f"SELECT {columns} FROM {part.table.name} LIMIT {KEYS_MAX}")
        ]

    async def texts(self, hashes: Sequence[str]) -> Mapping[str, bytes]:
        return await texts_of(self._view.connection, hashes)

    async def _rows(self, part: Part) -> AsyncIterator[Any]:
        connection, table = await self._view.use(part.consumer), part.table
        condition = " AND ".join(["true", *(f"{name} = ${number}" for number, name in enumerate(part.where, 1))])
        sql = f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE {condition}"
        async for record in connection.cursor(sql, *part.where.values(), prefetch=PREFETCHED_ROWS):
            yield table.row(*record)


@asynccontextmanager
async def database_source(settings: Settings, when: PointInTime) -> AsyncIterator[DatabaseSource]:
    """A snapshot of all consumers, up to an index or a recorded time, closed at the end of the block."""
    async with view(settings, list(CONSUMERS.values())) as shown:
        known = when.recorded is None
        yield DatabaseSource(shown, when.index if known else await index_of(shown.connection, when))


async def entries_in(shown: View, end: int, scope: Scope) -> AsyncGenerator[Raw, None]:
    """The entries of a scope among the first `end` of the log: by the index of events as far as it goes, then by
    reading the log. The view shows the index of events."""
    indexed, connection = _indexed(shown, end, scope), await shown.use(EVENT_INDEX)
    after = -1
    while after < indexed - 1:
        page = await indexes_in(connection, scope, after, indexed, PAGE_INDEXES)
        async for raw in chosen_entries(connection, page):
            yield raw
        after = page[-1] if len(page) == PAGE_INDEXES else indexed
    async for raw in _not_indexed(connection, scope, indexed, end):
        yield raw


async def few_entries_in(
    shown: View, end: int, scope: Scope, entries_max: int, unindexed_max: int = UNINDEXED_MAX
) -> list[Raw]:
    """As `entries_in`. Raises `TooManyEntries` where the scope has more, or the index of events is far behind."""
    indexed, connection = _indexed(shown, end, scope), await shown.use(EVENT_INDEX)
    own = await indexes_in(connection, scope, -1, indexed, entries_max + 1)
    if len(own) > entries_max or end - indexed > unindexed_max:
        raise TooManyEntries
    few = [raw async for raw in chosen_entries(connection, own)]
    few += [raw async for raw in _not_indexed(connection, scope, indexed, end)]
    if len(few) > entries_max:
        raise TooManyEntries
    return few


async def first_entry_in(shown: View, end: int, scope: Scope, unindexed_max: int = UNINDEXED_MAX) -> Raw | None:
    """The first of `entries_in`. None where there is none, or the index of events is too far behind to find it."""
    within = min(end, shown.positions[EVENT_INDEX.name] + unindexed_max)
    async with aclosing(entries_in(shown, within, scope)) as entries:
        return await anext(entries, None)


def _indexed(shown: View, end: int, scope: Scope) -> int:
    """Up to where the index of events is used."""
    return 0 if scope == EVERYTHING else min(end, shown.positions[EVENT_INDEX.name])


async def _not_indexed(connection: Connection, scope: Scope, first: int, end: int) -> AsyncIterator[Raw]:
    """Those of the scope from `first` on, by reading the log."""
    async for start, batch in entry_batches(connection, first, end, READ_ENTRIES):
        for index, raw in enumerate(batch, start):
            if scope.has(parse_entry(index, raw)):
                yield index, raw


async def indexes_in(connection: Connection, scope: Scope, after: int, end: int, limit: int | None = None) -> list[int]:
    """The first indexes of the entries of a scope after `after` and below `end`; `search_path` selects their index."""
    types = None if scope.types is None else sorted(map(as_full_type, scope.types))
    query = Query(scope.subject, agency=scope.agency, after_index=after, below_index=end, types=types)
    return await find_indexes(connection, query, limit)
