"""Replays the log from its beginning into scratch tables, for a rebuild, a check or an as-of view.

Flows in: entries from PostgreSQL, or from files that it proves, never from Kafka. Flows out: rows in the scratch
tables; the folds' decisions are discarded, so a replay never writes an outbox row.

Names the entries at which a fold meets a bug of its own.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import Final

from consumers.replay.fold.apply import ROWS_MAX, RowLimit, StoredKeys, TooManyRows, apply
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.past_rows import KeptKeys
from consumers.replay.fold.postgres_store import PostgresStore
from events.errors import Halt
from events.wire.entry import Entry
from infra.log.ports.files import ProvenFiles
from infra.log.ports.port import NotThere
from infra.log.ports.postgres_port import PostgresPort
from infra.log.ports.read_ahead import BATCH_ENTRIES, parsed_entries
from infra.log.ports.tree import require_tree
from infra.log.signed_note import InvalidKey
from infra.postgres.connection import Connection, connected
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import Need, UnitOfWork
from infra.private_keys.key_files import read_verifier
from infra.process.reaction import is_bug, trace_of
from infra.settings import Settings

SESSION: Final = "pg_temp"
"""The schema of a session's temporary tables: they end with the session, however it ends, and need no right to create
schemas. A session has one scratch of this kind, since consumers have tables of the same name."""
_OWN_FUNCTION: Final = re.compile(r"EXECUTE FUNCTION (?=\w+\()")

PACED_ENTRIES: Final = 1_024
"""Entries of a batch between two rests: a tenth of a second of work or less."""
PACE_PERCENT_MIN: Final = 5
REST_MAX_S: Final = 30.0
"""Longest rest: PostgreSQL ends the session of a rebuild that asks nothing for twice as long."""

Progress = Callable[[int], None]
"""Called with the number of entries applied since the last call; 0 while other work goes on."""


class FoldFailed(Halt, ValueError):
    """A fold raised an error that it does not know, which is a bug: nothing of these entries is written."""

    def __init__(self, consumer: Consumer, entries: Sequence[Entry], error: Exception) -> None:
        first, last = entries[0].index, entries[-1].index
        later = "" if first == last else f" (or a later one, up to {last})"
        super().__init__(
            f"entry {first}{later} meets a bug of this release in {consumer.name} ({trace_of(error)}). Nothing is"
            " skipped: install a release without the bug, which applies it (docs/runbook.md)"
        )


def naming_bugs(consumer: Consumer) -> Consumer:
    """The consumer, whose rules raise `FoldFailed` for an error that they do not know."""

    def required_keys(rows: UnitOfWork, entries: Sequence[Entry]) -> Iterator[Iterable[Need]]:
        with _named(consumer, entries):
            for needs in consumer.required_keys(rows, entries):
                yield _each(consumer, entries, needs)

    def fold(rows: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
        with _named(consumer, entries):
            return consumer.fold(rows, entries)

    return replace(consumer, required_keys=required_keys, fold=fold)


def _each(consumer: Consumer, entries: Sequence[Entry], needs: Iterable[Need]) -> Iterator[Need]:
    with _named(consumer, entries):
        yield from needs


@contextmanager
def _named(consumer: Consumer, entries: Sequence[Entry]) -> Iterator[None]:
    """An unknown error of the code in the block, which only decides, as `FoldFailed`."""
    try:
        yield
    except Exception as error:
        if not is_bug(error):
            raise
        raise FoldFailed(consumer, entries, error) from error


def no_progress(entries: int) -> None:
    """Reports nothing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a replay reads: `pace_percent` of the time it works, and what `files` have is not read from PostgreSQL."""

    pace_percent: int = 100
    files: ProvenFiles | None = None

    async def batches(self, connection: Connection, first: int, end: int) -> AsyncGenerator[list[Entry], None]:
        """The entries `first … end - 1`, parsed a batch ahead. Close it (`aclosing`)."""
        entries_max = BATCH_ENTRIES if self.pace_percent == 100 else PACED_ENTRIES
        if self.files is not None and first < (in_files := min(end, self.files.size)):
            async with aclosing(self.files.parsed(first, in_files, entries_max)) as parts:
                async for entries in parts:
                    yield entries
            first = in_files
        async with aclosing(parsed_entries(connection, first, end, entries_max)) as parts:
            async for entries in parts:
                yield entries

    def rest_s(self, worked_s: float) -> float:
        """Seconds of rest after so many seconds of work."""
        return min(REST_MAX_S, worked_s * (100 - self.pace_percent) / self.pace_percent)


FULL_SPEED: Final = Reading()


class Scratch:
    """The tables of one consumer, the session's own or in a schema; with what its rows were, if it `keeps_past`."""

    def __init__(
        self, connection: Connection, consumer: Consumer, schema: str = SESSION, *, keeps_past: bool = False
    ) -> None:
        self.connection = connection
        self.consumer = consumer
        self.schema = schema
        self.position = 0
        self._rules = naming_bugs(consumer)
        self._stored = StoredKeys()
        kept_keys = KeptKeys() if keeps_past and consumer.keeps_past else None
        self.store = PostgresStore(connection, kept_keys, self._stored)

    def go_on(self, position: int) -> None:
        """Go on with the rows that an earlier replay has stored up to `position`."""
        self.position = position
        self._stored.add_all()

    async def create(self) -> None:
        """Create the tables with their indexes; in a schema, unlogged."""
        if self.schema != SESSION:
            await self.connection.execute(f"CREATE SCHEMA {self.schema}")
        await self.use()
        for text in self.consumer.create_sql():
            await self.connection.execute(self._passing(text))

    def _passing(self, text: str) -> str:
        if self.schema != SESSION:
            return text.replace("CREATE TABLE", "CREATE UNLOGGED TABLE")
        # PostgreSQL finds a session's own function by its qualified name only.
        return _OWN_FUNCTION.sub(f"EXECUTE FUNCTION {SESSION}.", text)

    async def drop(self) -> None:
        await self.connection.execute(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")

    async def use(self) -> None:
        """Resolve unqualified table names to these tables."""
        await self.connection.execute(f"SET search_path = {self.schema}")

    async def apply(self, entries: Sequence[Entry]) -> None:
        """Apply the next entries in the caller's transaction."""
        try:
            await apply(self.store, self._rules, entries, RowLimit(ROWS_MAX))
        except TooManyRows:
            half = len(entries) // 2
            await self.apply(entries[:half])
            await self.apply(entries[half:])
        else:
            self.position += len(entries)


async def replay(
    settings: Settings,
    scratches: Sequence[Scratch],
    end: int,
    progress: Progress = no_progress,
    reading: Reading = FULL_SPEED,
) -> None:
    """Replay all of `scratches` from their common position to `end`; the first one's connection reads the log.

    A fold accepts everything that the registrar accepts; if it fails, an entry may be changed. Raises `WrongTree` then.
    """
    reader, first = scratches[0].connection, scratches[0].position
    try:
        async with aclosing(reading.batches(reader, first, end)) as batches:
            began = time.monotonic()
            async for entries in batches:
                for scratch in scratches:
                    async with scratch.connection.transaction():
                        await scratch.apply(entries)
                progress(len(entries))
                await asyncio.sleep(reading.rest_s(time.monotonic() - began))
                began = time.monotonic()
    except (ValueError, TypeError, LookupError, ArithmeticError):
        await _require_signed_tree(settings)
        raise
    for scratch in scratches:
        if scratch.position != end:
            raise LookupError(f"the log ends at {scratch.position}, but its recorded size is at least {end}")


async def _require_signed_tree(settings: Settings) -> None:
    """Raise `WrongTree` if a signed root is known and the entries do not give it."""
    async with connected(settings, "replay reader", batch=True) as reader:
        try:
            port = PostgresPort(reader, read_verifier(settings, None))
            checkpoint = await port.checkpoint()
        except (InvalidKey, NotThere):
            return
        await require_tree(port, checkpoint.size, checkpoint.root)
