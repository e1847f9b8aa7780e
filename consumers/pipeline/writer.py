"""One epoch of a consumer: its position, and the transactions that move it together with what the entries change.

What lies below the position is skipped, what lies above it is a gap and is read from the bundles in PostgreSQL, and
nothing is applied whose leaf hash is not the log's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import structlog
from aiokafka import ConsumerRecord

from consumers.fold.consumer import Consumer, TooManyRows, apply, nobody_waits
from events.errors import Fenced, Halt, YesserError
from events.wire.entry import Entry, parse_entry
from infra.log.reader import read_checked, read_leaves
from infra.observability.telemetry import count, observe, span
from infra.postgres import outbox
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.pipeline", "pipeline.sql")
FILL_ENTRIES_MAX: Final = 4096

log = structlog.get_logger()


class NewerRules(YesserError):
    """Newer rules wrote the rows of this consumer: install the newer version."""


class LeafMismatch(Halt):
    """An entry is not the one that stands in the log's tree: nothing of its batch is applied."""


@dataclass(slots=True)
class Batch:
    """Consecutive entries from `first_index` on, as bytes (for the leaf check) and parsed; `traces` are theirs."""

    first_index: int
    raw: list[bytes]
    entries: list[Entry]
    traces: list[str] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.first_index + len(self.raw)

    def extend(self, later: Batch, entries_max: int) -> bool:
        """Take `later` in, if it begins where this one ends and both together have at most `entries_max` entries."""
        if later.first_index != self.end or len(self.raw) + len(later.raw) > entries_max:
            return False
        self.raw += later.raw
        self.entries += later.entries
        self.traces = sorted({*self.traces, *later.traces})
        return True

    def first(self, count_: int) -> Batch:
        """Its first `count_` entries."""
        return Batch(self.first_index, self.raw[:count_], self.entries[:count_], self.traces)

    def without(self, count_: int) -> Batch:
        """The batch less its first `count_` entries."""
        return Batch(self.first_index + count_, self.raw[count_:], self.entries[count_:], self.traces)


def parse_records(records: Sequence[ConsumerRecord]) -> list[Batch]:
    """Records of the log's topic as runs of consecutive indexes; repeats simply begin a new run.

    Raises `LeafMismatch` where a record is no entry at all.
    """
    batches: list[Batch] = []
    expected = -1
    raw: list[bytes] = []
    entries: list[Entry] = []
    for record in records:
        try:
            index = int(record.headers[0][1])  # the registrar writes `index` first, then `leaf`
            entry = parse_entry(index, record.value)
        except (ValueError, LookupError, TypeError) as error:
            raise LeafMismatch(
                f"the record at offset {record.offset} of {record.topic} is no entry of the log"
            ) from error
        if index != expected:
            raw, entries = [], []
            batches.append(Batch(index, raw, entries))
        raw.append(record.value)
        entries.append(entry)
        expected = index + 1
    return batches


def check_leaves(first_index: int, raw: Sequence[bytes], leaves: bytes) -> None:
    """Raise `LeafMismatch` unless each entry hashes to the log's leaf."""
    computed = b"".join([sha256(b"\x00" + entry).digest() for entry in raw])
    if computed != leaves:
        for i in range(len(raw)):
            if computed[32 * i : 32 * i + 32] != leaves[32 * i : 32 * i + 32]:
                raise LeafMismatch(f"the entry that came as index {first_index + i} is not the one in the log's tree")
        raise LeafMismatch(f"there are more leaves than entries from index {first_index} on")


class Writer:
    """Applies batches. One task uses it; `finish` lets the transaction under way end before that task is cancelled."""

    def __init__(self, consumer: Consumer, connection: Connection, epoch: int) -> None:
        self.consumer = consumer
        self.connection = connection
        self.epoch = epoch
        self.position = 0
        self._committing = asyncio.Lock()

    async def open(self) -> bool:
        """Take the position over: from here on only this epoch moves it. False where older rules wrote the rows.

        Raises `NewerRules` where newer ones did.
        """
        row = await self.connection.fetchrow(
            _SQL["take_over"], self.consumer.name, self.epoch, self.consumer.rules_version
        )
        if row is None:
            raise NewerRules
        self.position = row["position"]
        return bool(row["rules_version"] == self.consumer.rules_version)

    async def apply(self, batch: Batch, writing: Callable[[], None] = nobody_waits) -> None:
        """Apply what of `batch` lies at the position, after filling a gap before it.

        `writing` is called when the rows are about to be written: this task then waits for PostgreSQL for a while.
        """
        if batch.first_index > self.position:
            log.warning(
                "the log's topic has a gap, filled from PostgreSQL",
                consumer=self.consumer.name,
                first_index=self.position,
                entries=batch.first_index - self.position,
            )
            await self.fill(batch.first_index)
            if batch.first_index > self.position:
                raise LeafMismatch(
                    f"the topic holds index {batch.first_index}, but the database ends at {self.position} "
                    "(an older copy?); run `yesser recover`"
                )
        if batch.end <= self.position:
            return
        if batch.first_index < self.position:
            batch = batch.without(self.position - batch.first_index)
        await self._apply(batch, 0, writing)

    async def fill(self, end: int) -> None:
        """Apply the entries up to `end` from the bundles, as far as they are there."""
        while self.position < end:
            first = self.position
            raw = await read_checked(self.connection, first, min(FILL_ENTRIES_MAX, end - first))
            if not raw:
                return
            entries = [parse_entry(first + i, entry) for i, entry in enumerate(raw)]
            await self._apply(Batch(first, raw, entries), len(raw), nobody_waits)
            count("gaps_filled", len(raw), consumer=self.consumer.name)

    async def finish(self) -> None:
        """Wait for the transaction under way, and let no other begin."""
        await self._committing.acquire()

    async def halt(self, reason: str) -> None:
        """Note beside the position why nothing more is applied, for whoever waits for it."""
        await self.connection.execute(_SQL["halt"], self.consumer.name, self.epoch, reason)

    async def _apply(self, batch: Batch, gap_entries: int, writing: Callable[[], None]) -> None:
        """In one transaction, or in as many as keep each short."""
        try:
            await self._transact(batch, gap_entries, writing)
        except TooManyRows:
            half = len(batch.raw) // 2
            await self._apply(batch.first(half), min(half, gap_entries), nobody_waits)
            await self._apply(batch.without(half), max(0, gap_entries - half), writing)

    async def _transact(self, batch: Batch, gap_entries: int, writing: Callable[[], None]) -> None:
        name, first, began = self.consumer.name, batch.first_index, time.monotonic()
        async with self._committing:
            with span("apply", batch.traces, consumer=name, first_index=first, entries=len(batch.raw)):
                await self._commit(batch, gap_entries, writing)
            self.position = batch.end
        count("entries_applied", len(batch.raw), consumer=name)
        observe("batch_records", len(batch.raw), process=name)
        observe("batch_seconds", time.monotonic() - began, process=name)

    async def _commit(self, batch: Batch, gap_entries: int, writing: Callable[[], None]) -> None:
        connection, consumer = self.connection, self.consumer
        async with connection.transaction():
            moved = await connection.fetchval(
                _SQL["move"], consumer.name, self.epoch, self.position, batch.end, consumer.rules_version, gap_entries
            )
            if not moved:
                raise Fenced(f"epoch {self.epoch} of {consumer.name} does not own position {self.position}")
            check_leaves(batch.first_index, batch.raw, await read_leaves(connection, batch.first_index, len(batch.raw)))
            decided = await apply(connection, consumer, batch.entries, writing)
            await outbox.write(connection, decided)
