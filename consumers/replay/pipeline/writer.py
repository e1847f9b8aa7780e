"""One epoch of a consumer: its position, and the transactions that move it together with what the entries change.

Entries below the position are skipped. A gap above it is filled from the log in PostgreSQL. No entry is applied whose
leaf hash differs from the log's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

import structlog

from consumers.replay.fold.apply import RowLimit, TooManyRows, apply
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.postgres_store import live_store
from consumers.replay.fold.replay import FoldFailed, naming_bugs
from consumers.replay.fold.version import UNNUMBERED, FoldVersion
from consumers.replay.pipeline.batch import Batch, LeafMismatch
from events.errors import Fenced, YesserError
from infra.errors import older_copy
from infra.log.ports.read_ahead import parsed_entries
from infra.log.reader import leaves_of
from infra.observability.telemetry import count, observe, span
from infra.postgres import outbox_table
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.replay.pipeline", "pipeline.sql")
FILL_BYTES_MAX: Final = 3 << 20
"""Bytes of the entries of one read and one transaction while a consumer catches up, when no one waits for a single
entry. A contract of 18 KiB may hold 400 expected amounts, a row each."""

log = structlog.get_logger()


class NewerRules(YesserError):
    """The rows of this consumer are of a newer release: install it (docs/upgrade.md)."""


class PartlyRecovered(YesserError):
    """The first `recovered` entries of the batch were recovered, the others are new: apply them apart."""

    def __init__(self, recovered: int) -> None:
        self.recovered = recovered


class Writer:
    """Applies batches. One task uses it; `finish` lets the transaction under way end before that task is cancelled."""

    def __init__(self, consumer: Consumer, connection: Connection, epoch: int) -> None:
        self.consumer = consumer
        self.connection = connection
        self.epoch = epoch
        self.position = 0
        self.is_halted = False
        """Whether a reason was stored at the take-over."""
        self._version = UNNUMBERED
        self._rules = naming_bugs(consumer)
        self._store = live_store(connection, consumer)
        self._limit = RowLimit()
        self._committing = asyncio.Lock()

    async def open(self) -> bool:
        """Take the position over: from here on only this epoch moves it. False where the rows are of another version.

        Raises `NewerRules` where that version is a newer one.
        """
        self._version = version = self.consumer.rows_version
        rules = self.consumer.rules().document() if self.consumer.rules else {}
        row = await self.connection.fetchrow(
            _SQL["take_over"], self.consumer.name, self.epoch, version.number, version.sha256, rules
        )
        if row is None:
            if await self.connection.fetchval(_SQL["superseded"], self.consumer.name, self.epoch):
                raise Fenced(f"epoch {self.epoch} of {self.consumer.name} was superseded")
            raise NewerRules
        self.position, self.is_halted = row["position"], row["is_halted"]
        return FoldVersion(row["rules_version"], row["fold_sha256"]) == version

    async def apply(self, batch: Batch, release: Callable[[], None] = lambda: None) -> None:
        """Apply what of `batch` is at the position, after filling a gap before it.

        `release` is called when the rows of the last transaction are about to be written: this task then waits for
        PostgreSQL for a while.
        """
        if batch.first_index > self.position:
            log.warning(
                "the log's topic has a gap, filled from PostgreSQL",
                consumer=self.consumer.name,
                first_index=self.position,
                entries=batch.first_index - self.position,
            )
            await self.fill(batch.first_index)
            self.require(batch.first_index)
        if batch.end > self.position:
            await self._apply(batch.part(self.position - batch.first_index, len(batch.entries)), 0, release)

    def require(self, first_index: int) -> None:
        """Raise `LeafMismatch` where the log in PostgreSQL ends before an index that the topic has."""
        if first_index > self.position:
            raise LeafMismatch(older_copy(f"the log's topic holds index {first_index}", self.position))

    async def fill(self, end: int, *, is_gap: bool = True) -> None:
        """Apply the entries up to `end` from the log in PostgreSQL, as far as it has them.

        Entries are checked and parsed while those before them are applied. Raises `ChangedEntry`.
        """
        reading = parsed_entries(self.connection, self.position, end, bytes_max=FILL_BYTES_MAX)
        async with aclosing(reading) as batches:
            async for entries in batches:
                await self._apply(Batch(self.position, entries, None, 0), len(entries) if is_gap else 0)
                if is_gap:
                    count("gaps_filled", len(entries), consumer=self.consumer.name)

    async def finish(self) -> None:
        """Wait for the transaction under way, and let no other begin."""
        await self._committing.acquire()

    async def halt(self, reason: str) -> None:
        """Store the reason beside the position: nothing more is applied."""
        await self.connection.execute(_SQL["halt"], self.consumer.name, self.epoch, reason)

    async def end_halt(self) -> None:
        """Take back the reason that is stored beside the position."""
        await self.connection.execute(_SQL["halt"], self.consumer.name, self.epoch, None)
        self.is_halted = False

    async def _apply(self, batch: Batch, gap_entries: int, release: Callable[[], None] = lambda: None) -> None:
        """In one transaction, or in as many as keep each short. What is before an entry that meets a bug is applied."""
        try:
            await self._transact(batch, gap_entries, release)
            return
        except (TooManyRows, FoldFailed):
            part = len(batch.entries) // 2
            if not part:
                raise
        except PartlyRecovered as error:
            part = error.recovered
        await self._apply(batch.part(0, part), min(part, gap_entries))
        await self._apply(batch.part(part, len(batch.entries)), max(0, gap_entries - part), release)

    async def _transact(self, batch: Batch, gap_entries: int, release: Callable[[], None]) -> None:
        name, entries = self.consumer.name, len(batch.entries)
        async with self._committing:
            began = time.monotonic()
            with span("apply", batch.traces, consumer=name, first_index=batch.first_index, entries=entries):
                try:
                    await self._commit(batch, gap_entries, release)
                except (TooManyRows, PartlyRecovered):
                    raise
                except BaseException:
                    self._store.forget()
                    raise
            self.position = batch.end
            seconds = time.monotonic() - began
        self._limit.note(seconds)
        count("entries_applied", entries, consumer=name)
        observe("batch_records", entries, process=name)
        observe("batch_seconds", seconds, process=name)

    async def _commit(self, batch: Batch, gap_entries: int, release: Callable[[], None]) -> None:
        connection, consumer = self.connection, self.consumer
        async with connection.transaction():
            number, sha256 = self._version.number, self._version.sha256
            position = self.epoch, self.position, batch.end, number, gap_entries, sha256
            compared = (None, None) if batch.leaves is None else (batch.first_index, batch.end)
            segments = await connection.fetch(_SQL["move"], consumer.name, *position, *compared)
            if not segments:
                raise Fenced(f"epoch {self.epoch} of {consumer.name} does not own position {self.position}")
            if batch.leaves is not None:
                stored = ((row["first_index"], row["leaves"]) for row in segments)
                batch.check(leaves_of(stored, batch.first_index, batch.end))
            recovered_to: int = segments[0]["recovered_to"]
            if batch.first_index < recovered_to < batch.end:
                raise PartlyRecovered(recovered_to - batch.first_index)
            decided = await apply(self._store, self._rules, batch.entries, self._limit, release)
            await outbox_table.write(connection, decided, batch.end)
