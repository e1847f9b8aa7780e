"""Replays the log from its beginning into scratch tables, for a rebuild, a check or an as-of view.

Flows in: entries from PostgreSQL, never from Kafka. Flows out: rows in the scratch tables; the folds' decisions are
discarded, so a replay never writes an outbox row. Entries are read and parsed while PostgreSQL writes the previous
batch.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from consumers.audit.port import NotThere, read_verifier
from consumers.audit.tree import require_tree
from consumers.database_audit.postgres_port import PostgresPort
from consumers.fold.apply import TooManyRows, fold, load
from consumers.fold.consumer import Consumer
from consumers.fold.past_rows import KeepingUnitOfWork, KeptKeys
from consumers.fold.past_storage import keep
from consumers.fold.stored_keys import StoredKeys
from events.wire.entry import Entry, parse_entry
from infra.log.reader import READ_BYTES, entry_batches, read_checked
from infra.log.signed_note import InvalidKey
from infra.postgres.connection import Connection, connect
from infra.postgres.row_storage import save
from infra.postgres.unit_of_work import Key, Need, Table
from infra.settings import Settings

BATCH_ENTRIES: Final = 8_192
"""Entries per batch: enough to amortise statements, few enough to keep two batches in memory. Fewer where they are
large."""
SLICE_ENTRIES: Final = 256
"""Entries parsed before control returns to the writing task."""
BATCHES_AHEAD_MAX: Final = 1
"""Parsed batches that wait for the fold. One keeps both sides busy; with four, processor caches are missed and the
replay takes a seventh longer."""

SESSION: Final = "pg_temp"
"""The schema of a session's temporary tables: they end with the session, however it ends, and need no right to create
schemas. A session has one scratch of this kind, since consumers have tables of the same name."""
_OWN_FUNCTION: Final = re.compile(r"EXECUTE FUNCTION (?=\w+\()")

Progress = Callable[[int], None]
"""Called with the number of entries applied since the last call; 0 while other work goes on."""


def no_progress(entries: int) -> None:
    """Reports nothing."""


class _ReplaySet(KeepingUnitOfWork):
    """A unit of work that loads only rows that this replay may have stored."""

    def __init__(self, stored: StoredKeys, kept: KeptKeys) -> None:
        super().__init__(kept)
        self._stored = stored

    def missing(self, required_keys: Iterable[Need]) -> dict[Table[Any], list[Key] | None]:
        found = {}
        for table, keys in super().missing(required_keys).items():
            known = None if keys is None else self._stored.maybe(table, keys)
            if known is None or known:
                found[table] = known
        return found

    def remember(self) -> None:
        """Add the keys that `save` is about to store."""
        for changes in self.changes():
            for rows in (changes.new, changes.unread, changes.changed):
                self._stored.add(changes.table, map(changes.table.key_of, rows))


class Scratch:
    """The tables of one consumer, the session's own or in a schema; with what its rows were, if it `keeps_past`."""

    def __init__(self, consumer: Consumer, schema: str = SESSION, *, keeps_past: bool = False) -> None:
        self.consumer = consumer
        self.schema = schema
        self.position = 0
        self._stored = StoredKeys()
        self._kept = KeptKeys() if keeps_past and consumer.keeps_past else None

    def go_on(self, position: int) -> None:
        """Go on with the rows that an earlier replay has stored up to `position`."""
        self.position = position
        self._stored.add_all()

    async def create(self, connection: Connection, *, lasting: bool) -> None:
        """Create the tables; in a schema, unlogged unless they will become the live ones."""
        if self.schema != SESSION:
            await connection.execute(f"CREATE SCHEMA {self.schema}")
        await self.use(connection)
        for text in self.consumer.create_sql():
            await connection.execute(text if lasting else self._passing(text))

    def _passing(self, text: str) -> str:
        if self.schema != SESSION:
            return text.replace("CREATE TABLE", "CREATE UNLOGGED TABLE")
        # PostgreSQL finds a session's own function by its qualified name only.
        return _OWN_FUNCTION.sub(f"EXECUTE FUNCTION {SESSION}.", text)

    async def drop(self, connection: Connection) -> None:
        await connection.execute(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")

    async def use(self, connection: Connection) -> None:
        """Resolve unqualified table names to these tables."""
        await connection.execute(f"SET search_path = {self.schema}")

    async def apply(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """Apply the next entries in the caller's transaction."""
        rows = _ReplaySet(self._stored, self._kept or KeptKeys())
        try:
            await load(connection, rows, self.consumer, entries)
        except TooManyRows:
            half = len(entries) // 2
            await self.apply(connection, entries[:half])
            await self.apply(connection, entries[half:])
            return
        for part in rows.by_block(entries) if self._kept else [entries]:
            fold(self.consumer, rows, part)
        rows.folded()
        rows.remember()
        await keep(connection, rows)
        await save(connection, rows)
        self.position += len(entries)


async def replay(
    settings: Settings, scratches: Sequence[tuple[Connection, Scratch]], end: int, progress: Progress = no_progress
) -> None:
    """Replay all of `scratches`, each through its connection, from their common position to `end`."""
    async with parsed_entries(settings, scratches[0][1].position, end) as batches:
        async for entries in batches:
            for connection, scratch in scratches:
                async with connection.transaction():
                    await _apply(settings, connection, scratch, entries)
            progress(len(entries))
    for _, scratch in scratches:
        if scratch.position != end:
            raise LookupError(f"the log ends at {scratch.position}, but its recorded size is at least {end}")


async def read_parsed(connection: Connection, first: int, limit: int, bytes_max: int = READ_BYTES) -> list[Entry]:
    """At most `limit` entries from `first` on, through the caller's connection."""
    raw = await read_checked(connection, first, limit, bytes_max)
    return [parse_entry(first + number, text) for number, text in enumerate(raw)]


async def _apply(settings: Settings, connection: Connection, scratch: Scratch, entries: list[Entry]) -> None:
    """Apply a batch. A fold accepts everything that the registrar accepts; if it fails, an entry may be changed."""
    try:
        await scratch.apply(connection, entries)
    except (ValueError, TypeError, LookupError, ArithmeticError):
        await _require_signed_tree(settings)
        raise


async def _require_signed_tree(settings: Settings) -> None:
    """Raise `WrongTree` if a signed root is known and the entries do not give it."""
    reader = await connect(settings, "replay reader", batch=True)
    try:
        port = PostgresPort(reader, read_verifier(settings, None))
        checkpoint = await port.checkpoint()
    except (InvalidKey, NotThere):
        return
    else:
        await require_tree(port, checkpoint.size, checkpoint.root)
    finally:
        await reader.close()


@asynccontextmanager
async def parsed_entries(settings: Settings, first: int, end: int) -> AsyncIterator[AsyncIterator[list[Entry]]]:
    """The entries `first … end - 1` in batches, read and parsed ahead by a separate task."""
    queue: asyncio.Queue[list[Entry] | None] = asyncio.Queue(BATCHES_AHEAD_MAX)
    task = asyncio.create_task(_parse_ahead(settings, first, end, queue))
    try:
        yield _taken(queue, task)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _taken(queue: asyncio.Queue[list[Entry] | None], task: asyncio.Task[None]) -> AsyncIterator[list[Entry]]:
    while (entries := await queue.get()) is not None:
        yield entries
    await task


async def _parse_ahead(settings: Settings, first: int, end: int, queue: asyncio.Queue[list[Entry] | None]) -> None:
    """Puts None at the end. After an error or a cancellation it comes at once, in place of what was not taken: the
    consumer of the queue must never wait for a task that has ended."""
    try:
        if first < end:
            await _parse_into(queue, settings, first, end)
    except BaseException:
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)
        raise
    await queue.put(None)


async def _parse_into(queue: asyncio.Queue[list[Entry] | None], settings: Settings, first: int, end: int) -> None:
    connection = await connect(settings, "replay reader", batch=True)
    try:
        async for start, raw in entry_batches(connection, first, end, BATCH_ENTRIES):
            try:
                await queue.put(await _parsed(start, raw))
            except ValueError:
                await _require_signed_tree(settings)
                raise
    finally:
        await connection.close()


async def _parsed(first: int, raw: list[bytes]) -> list[Entry]:
    entries: list[Entry] = []
    for start in range(0, len(raw), SLICE_ENTRIES):
        entries += [parse_entry(first + start + i, text) for i, text in enumerate(raw[start : start + SLICE_ENTRIES])]
        await asyncio.sleep(0)
    return entries
