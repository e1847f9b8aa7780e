"""Applies a batch of entries to the rows of a consumer: the one way in which any fold of the log is made.

Flows in: entries in log order, and a store of the consumer's rows (`Store`). Flows out: changed rows in the store, and
the platform events that the fold decided. The live loop alone writes these to the outbox.

    store                                 who folds into it
    postgres_store.PostgresStore          the live loop; a rebuild, a check, a past state (`replay.Scratch`)
    memory.MemoryStore                    a past state from what rows were
    offline.store.SqliteStore             `yesser audit replay`, explanations

The keys that a replay may have stored. A replay starts empty, so almost every key that it requests is new.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from mmap import mmap
from typing import Any, Final, Protocol

from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.past_rows import KeepingUnitOfWork
from events.errors import YesserError
from events.wire.entry import Entry
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import Key, Table, UnitOfWork

ROWS_MAX: Final = 24_000
"""A batch needs at most this many rows. A single entry may need somewhat more: events.md §3 limits how many facts are
pending for a project or service."""
ROWS_FIRST: Final = 6_000
"""The same before it is known how long rows take here."""
ROWS_MIN: Final = 2_000
"""The same however long they take; a batch of so many shows how long that is."""
TRANSIENT_COST: Final = 2
"""A row of a transient table counts as two: it is deleted too, and what it says changes others."""
SLICE_ENTRIES: Final = 512
"""Entries folded before the time is looked at."""
TURN_S: Final = 0.01
"""Seconds of folding before other tasks of the process run."""


class StoredKeys:
    """A Bloom filter: an absent key needs no query.

    One bit per key is enough: with ten million rows one key in twenty-five is queried in vain, and a full filter only
    costs queries.
    """

    _BITS: Final = 1 << 28

    def __init__(self) -> None:
        self._bits = mmap(-1, self._BITS >> 3)  # a page of it costs memory once a key is added there

    def add(self, table: Table[Any], keys: Iterable[Key]) -> None:
        """Add the keys of stored rows."""
        bits, mask, salt = self._bits, self._BITS - 1, hash(table.name)
        for key in keys:
            bit = (hash(key) ^ salt) & mask
            bits[bit >> 3] |= 1 << (bit & 7)

    def note(self, rows: UnitOfWork) -> None:
        """Add the keys that a batch stores for the first time, as far as it knows."""
        for changes in rows.changes():
            self.add(changes.table, map(changes.table.key_of, [*changes.new, *changes.unread]))

    def add_all(self) -> None:
        """Let every key count as stored: which ones are is not known."""
        self._bits[:] = b"\xff" * len(self._bits)

    def maybe(self, table: Table[Any], keys: Iterable[Key]) -> list[Key]:
        """Those of `keys` that may be stored."""
        bits, mask, salt = self._bits, self._BITS - 1, hash(table.name)
        result = []
        for key in keys:
            bit = (hash(key) ^ salt) & mask
            if bits[bit >> 3] >> (bit & 7) & 1:
                result.append(key)
        return result


class Store(Protocol):
    """Where a consumer's rows are from one batch to the next."""

    def begin(self) -> UnitOfWork:
        """The rows of the next batch, before any is loaded."""

    async def read(self, table: Table[Any], keys: list[Key] | None) -> Iterable[Any]:
        """The stored rows of these keys; None: of the whole table, which is small."""

    async def write(self, rows: UnitOfWork) -> None:
        """Store what the batch has changed."""


class TooManyRows(YesserError):
    """The batch needs more rows than one transaction may load: apply it in two halves."""


@dataclass(slots=True)
class RowLimit:
    """How many rows the next batch may need: as many as the last large one would have needed a second for."""

    rows_max: int = ROWS_FIRST
    needed: int = 0
    """The rows of the batch under way."""

    def note(self, seconds: float) -> None:
        """The batch took so long."""
        if self.needed >= ROWS_MIN:
            self.rows_max = max(ROWS_MIN, min(ROWS_MAX, int(self.needed / seconds)))


async def apply(
    store: Store,
    consumer: Consumer,
    entries: Sequence[Entry],
    limit: RowLimit | None = None,
    before_writing: Callable[[], None] = lambda: None,
) -> list[OutboxEvent]:
    """Apply the next entries, within the caller's transaction if the store has any.

    `before_writing` is called between the fold and the writing of its rows. Raises `TooManyRows` for a batch beyond
    `limit`, and what the fold raises: nothing is written then.
    """
    rows = store.begin()
    if limit is None:
        await load(store, rows, consumer, entries)
    else:
        limit.needed = await load(store, rows, consumer, entries, limit.rows_max)
    decided: list[OutboxEvent] = []
    for part in rows.by_block(entries) if isinstance(rows, KeepingUnitOfWork) else [entries]:
        decided += await fold_in_turns(consumer, rows, part)
    rows.folded()
    before_writing()
    await store.write(rows)
    return decided


async def load(
    store: Store, rows: UnitOfWork, consumer: Consumer, entries: Sequence[Entry], rows_max: int | None = None
) -> int:
    """Load the rows that a batch needs; returns how many. Raises `TooManyRows` if they are more than `rows_max`."""
    needed = 0
    for needs in consumer.required_keys(rows, entries):
        wanted = needs
        if rows_max is not None and len(entries) > 1:
            wanted = list(islice(needs, rows_max - needed + 1))
            needed += sum(TRANSIENT_COST if table.transient else 1 for table, _ in wanted)
            if needed > rows_max:
                raise TooManyRows
        for table, keys in rows.missing(wanted).items():
            rows.adopt(table, await store.read(table, keys), whole=keys is None)
    return needed


async def fold_in_turns(consumer: Consumer, rows: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
    """Fold a batch, and let other tasks run whenever it has taken `TURN_S`. One entry is never divided."""
    decided: list[OutboxEvent] = []
    turn_ends = time.monotonic() + TURN_S
    for start in range(0, len(entries), SLICE_ENTRIES):
        decided += consumer.fold(rows, entries[start : start + SLICE_ENTRIES])
        if time.monotonic() >= turn_ends:
            await asyncio.sleep(0)
            turn_ends = time.monotonic() + TURN_S
    return decided
