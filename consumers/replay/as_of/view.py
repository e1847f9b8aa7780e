"""A read-only view of the state: the live tables, or the state as of a point in time.

The live view is one snapshot, so that all figures are consistent. A view as of an index reads what the rows were at
the beginning of a block and folds the rest (`past_state`). One as of an occurred date, or `from_log`, folds all entries
into temporary tables. Each consumer then has a session of its own, since their tables have the same names; all are in
one snapshot, and rolled back at the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from consumers.replay.as_of.past_state import can_show, lock_tables, make_views
from consumers.replay.as_of.point_in_time import PointInTime, occurred_on
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.replay import SESSION, Scratch, replay
from events.errors import YesserError
from events.wire.entry import Entry
from infra.log.reader import entries_recorded_by, log_size
from infra.postgres.connection import Connection, connected
from infra.postgres.sql import queries
from infra.settings import Settings

_SQL: Final = queries("consumers.replay.as_of", "view.sql")
READING_MS_MAX: Final = 60_000
"""The longest time in which a command makes its answer of the rows of a snapshot. A process, for whose locks others
wait, has less."""


class NoSuchIndex(YesserError, ValueError):
    """The log has fewer entries: use an index from 0 to its size (`yesser log size`)."""


class NotStarted(YesserError):
    """This read model has no tables yet: start the platform (`yesser up`) or run `yesser migrate`."""


@dataclass
class View:
    """The tables of some consumers, with each consumer's position (entries applied).

    `sessions`: those that have a consumer's tables, by name, where `connection` has not.
    """

    connection: Connection
    positions: dict[str, int]
    schemas: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, Connection] = field(default_factory=dict)

    @property
    def log_index(self) -> int:
        """The lowest position of the view's consumers."""
        return min(self.positions.values())

    def shows(self, consumer: Consumer) -> bool:
        """Whether the view has this consumer's tables."""
        return consumer.name in self.schemas

    async def use(self, consumer: Consumer) -> Connection:
        """Resolve unqualified table names to those of `consumer`."""
        connection = self.sessions.get(consumer.name, self.connection)
        await connection.execute(f"SET LOCAL search_path = {self.schemas[consumer.name]}")
        return connection


@asynccontextmanager
async def view(
    settings: Settings,
    consumers: Sequence[Consumer],
    when: PointInTime | int | None = None,
    *,
    from_log: bool = False,
) -> AsyncIterator[View]:
    """A view of the tables of `consumers`, live or as of a point in time (a number is an index).

    A past state `from_log` owes nothing to the live rows, and has every table.
    """
    at = when if isinstance(when, PointInTime) else PointInTime(index=when)
    settings = settings.acting_as("reader").model_copy(update={"idle_in_transaction_timeout_ms": READING_MS_MAX})
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(connected(settings, "reader", batch=not at.is_now))
        if at.is_now:
            yield await stack.enter_async_context(live_view(connection, consumers))
            return
        quick = at.occurred is None and not from_log and await can_show(connection, consumers)
        await stack.enter_async_context(_rolled_back(connection))
        if quick:
            await lock_tables(connection, consumers)
        index = await index_of(connection, at)
        sessions = {consumers[0].name: connection}
        snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
        for consumer in consumers[1:]:
            session = await stack.enter_async_context(connected(settings, "reader", batch=True))
            await stack.enter_async_context(_rolled_back(session))
            await session.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            sessions[consumer.name] = session
        if not (quick and await make_views(connection, consumers, index, sessions)):
            rules = [c if at.occurred is None else _of_entries_by(c, at.occurred) for c in consumers]
            scratches = [Scratch(sessions[consumer.name], consumer) for consumer in rules]
            for scratch in scratches:
                await scratch.create()
            await replay(settings, scratches, index)
        yield View(connection, dict.fromkeys(sessions, index), dict.fromkeys(sessions, SESSION), sessions)


@asynccontextmanager
async def _rolled_back(connection: Connection) -> AsyncIterator[None]:
    """One snapshot, with a transaction that leaves nothing behind."""
    transaction = connection.transaction(isolation="repeatable_read")
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


@asynccontextmanager
async def live_view(connection: Connection, consumers: Sequence[Consumer]) -> AsyncIterator[View]:
    """A live view through the caller's connection, in one snapshot."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        schemas = {consumer.name: consumer.schema for consumer in consumers}
        positions = {}
        for name, is_there, position in await connection.fetch(_SQL["positions"], [*schemas], [*schemas.values()]):
            if not is_there:
                raise NotStarted(f"{name}: {NotStarted.__doc__}")
            positions[name] = position
        yield View(connection, positions, schemas)


def _of_entries_by(consumer: Consumer, last_date: str) -> Consumer:
    """The consumer, folding only entries that occurred by a date."""

    def chosen(entries: Sequence[Entry]) -> list[Entry]:
        return [entry for entry in entries if occurred_on(entry) <= last_date]

    return replace(
        consumer,
        required_keys=lambda rows, entries: consumer.required_keys(rows, chosen(entries)),
        fold=lambda rows, entries: consumer.fold(rows, chosen(entries)),
    )


async def index_of(connection: Connection, at: PointInTime) -> int:
    """The number of entries to fold; for an occurred date, all of them."""
    size = await log_size(connection)
    if at.recorded is not None:
        return await entries_recorded_by(connection, at.recorded)
    index = size if at.index is None else at.index
    if not 0 <= index <= size:
        raise NoSuchIndex(f"the log has {size} entries, so there is no state after {index}: use 0 … {size}")
    return index
