"""What every command that shows state reads through: the live tables at one moment, or the state after N entries.

The live view is one read-only snapshot, so that all figures belong together. An as-of view folds the first N entries
into tables that exist only inside one transaction, which is rolled back at the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from consumers.consumer import Consumer
from consumers.replay import Scratch, replay
from events.errors import YesserError
from infra.log_reader import log_size
from infra.postgres import Connection, connect
from infra.settings import Settings
from infra.sql import queries

_SQL: Final = queries("consumers", "as_of.sql")


class NoSuchIndex(YesserError, ValueError):
    """The log has fewer entries than that: use an index from 0 to its size (`yesser log size`)."""


class NotStarted(YesserError):
    """This read model has no tables yet: start the platform (`yesser up`) or run `yesser migrate`."""


@dataclass
class View:
    """The tables of some consumers, and by consumer how many entries they have applied."""

    connection: Connection
    positions: dict[str, int]
    schemas: dict[str, str] = field(default_factory=dict)

    @property
    def log_index(self) -> int:
        """The number of entries applied: the lowest among the consumers that are looked at."""
        return min(self.positions.values())

    async def use(self, consumer: Consumer) -> Connection:
        """Make unqualified table names mean those of `consumer`."""
        await self.connection.execute(f"SET LOCAL search_path = {self.schemas[consumer.name]}")
        return self.connection


@asynccontextmanager
async def view(settings: Settings, consumers: Sequence[Consumer], index: int | None = None) -> AsyncIterator[View]:
    """Look at the tables of `consumers`: as they are, or as they were after `index` entries."""
    connection = await connect(settings, "reader", batch=index is not None)
    try:
        if index is None:
            async with live_view(connection, consumers) as looked_at:
                yield looked_at
        else:
            transaction = connection.transaction()
            await transaction.start()
            try:
                yield await _as_of(settings, connection, consumers, index)
            finally:
                await transaction.rollback()
    finally:
        await connection.close()


@asynccontextmanager
async def live_view(connection: Connection, consumers: Sequence[Consumer]) -> AsyncIterator[View]:
    """Look at the tables as they are through a connection of the caller's, in one snapshot."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield await _live(connection, consumers)


async def _live(connection: Connection, consumers: Sequence[Consumer]) -> View:
    names = [consumer.name for consumer in consumers]
    positions = {row["consumer"]: row["position"] for row in await connection.fetch(_SQL["positions"], names)}
    for consumer in consumers:
        if not await connection.fetchval(_SQL["schema_exists"], consumer.schema):
            raise NotStarted(f"{consumer.name}: {NotStarted.__doc__}")
    applied = {name: positions.get(name, 0) for name in names}
    return View(connection, applied, {consumer.name: consumer.schema for consumer in consumers})


async def _as_of(settings: Settings, connection: Connection, consumers: Sequence[Consumer], index: int) -> View:
    size = await log_size(connection)
    if not 0 <= index <= size:
        raise NoSuchIndex(f"the log has {size} entries, so there is no state after {index}: use 0 … {size}")
    suffix = uuid4().hex[:12]
    scratches = [Scratch(consumer, f"as_of_{consumer.schema}_{suffix}") for consumer in consumers]
    for scratch in scratches:
        await scratch.create(connection, lasting=False)
    await replay(settings, connection, scratches, index)
    applied = {consumer.name: index for consumer in consumers}
    return View(connection, applied, {scratch.consumer.name: scratch.schema for scratch in scratches})
