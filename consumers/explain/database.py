"""The database as a source: the event index leads to the entries of a scope, in one snapshot with the live tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from consumers.as_of.view import NoSuchIndex, View, view
from consumers.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.event_index.read import as_full_type
from consumers.explain.figures import EVERYTHING, Amount, Figure, Part, Scope
from consumers.explain.sources import Raw, Reach
from consumers.registry import CONSUMERS
from events.wire.entry import parse_entry
from infra.log.bundle import by_bundle
from infra.log.reader import entry_batches, read_checked
from infra.postgres.connection import Connection
from infra.settings import Settings

PAGE_INDEXES: Final = 8_192
PREFETCHED_ROWS: Final = 4_096
KEYS_MAX: Final = 10_000
"""Keys among which a similar one is looked for."""


class DatabaseSource:
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

    async def entries(self, scope: Scope) -> AsyncIterator[Raw]:
        """By the index of events as far as it goes, then by reading the log."""
        indexed = 0 if scope == EVERYTHING else min(self._end, self._view.positions[EVENT_INDEX.name])
        connection = await self._view.use(EVENT_INDEX)
        async for page in _pages(connection, scope, indexed):
            for own in by_bundle(page):
                found = await read_checked(connection, own[0], own[-1] + 1 - own[0])
                for index in own:
                    yield index, found[index - own[0]]
        async for first, batch in entry_batches(connection, indexed, self._end):
            for index, raw in enumerate(batch, first):
                if scope.has(parse_entry(index, raw)):
                    yield index, raw

    async def live(self, figures: Mapping[str, Figure]) -> dict[str, Any] | None:
        if not self._is_live:
            return None
        amounts = {part: Amount(part) for figure in figures.values() for part in figure.parts}
        for part, amount in amounts.items():
            async for row in self._rows(part):
                amount.change(part.table.key_of(row), None, part.of(row))
        return {
            name: figure.combine(*(amounts[part].value for part in figure.parts)) for name, figure in figures.items()
        }

    async def keys(self, part: Part) -> list[tuple[Any, ...]]:
        connection = await self._view.use(part.consumer)
        columns = ", ".join(part.table.key)
        return [
            tuple(row) for row in await connection.fetch(f"SELECT {columns} FROM {part.table.name} LIMIT {KEYS_MAX}")
        ]

    async def _rows(self, part: Part) -> AsyncIterator[Any]:
        connection, table = await self._view.use(part.consumer), part.table
        condition = " AND ".join(["true", *(f"{name} = ${number}" for number, name in enumerate(part.where, 1))])
        sql = f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE {condition}"
        async for record in connection.cursor(sql, *part.where.values(), prefetch=PREFETCHED_ROWS):
            yield table.row(*record)


@asynccontextmanager
async def database_source(settings: Settings, end: int | None) -> AsyncIterator[DatabaseSource]:
    """A snapshot of all consumers, closed at the end of the block."""
    async with view(settings, list(CONSUMERS.values())) as shown:
        yield DatabaseSource(shown, end)


async def _pages(connection: Connection, scope: Scope, end: int) -> AsyncIterator[list[int]]:
    """The indexes of the entries of a scope below `end`, page by page."""
    arguments: list[Any] = [-1, end]
    conditions = ["index > $1", "index < $2"]
    types = None if scope.types is None else sorted(map(as_full_type, scope.types))
    for condition, given in (
        ("subject = ${}", scope.subject),
        ("type = ANY(${})", types),
        ("agency = ${}", scope.agency),
    ):
        if given is not None:
            arguments.append(given)
            conditions.append(condition.format(len(arguments)))
    sql = f"SELECT index FROM event WHERE {' AND '.join(conditions)} ORDER BY index LIMIT {PAGE_INDEXES}"
    page: list[int] = []
    while end and (page or arguments[0] < 0):
        page = [index for (index,) in await connection.fetch(sql, *arguments)]
        if page:
            arguments[0] = page[-1]
            yield page
        else:
            return
