"""Consecutive entries, parsed and hashed once for every consumer of a process.

The entries that have arrived and are not applied yet, joined into transactions of their full size.

Parsing and applying share one thread. Records are parsed in small portions that join here to the next transaction. Room
for a new one is made when the rows of the transaction under way are about to be written: PostgreSQL is then busy the
longest, and there is time to parse.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from aiokafka import ConsumerRecord

from events.errors import Halt, Retry
from events.wire.entry import Entry, parse_entry
from infra.errors import older_copy

BATCHES_MAX: Final = 2
"""Transactions in memory, the one under way included until its rows are written."""
BATCH_BYTES_MAX: Final = 2 << 20
"""Bytes of the entries of one transaction: what an entry writes grows with its size, and most have some 500 bytes."""


class LeafMismatch(Halt):
    """An entry is not the one that is in the log's tree: nothing of its batch is applied."""


@dataclass(slots=True)
class Batch:
    """Entries from `first_index` on.

    `leaves` are the hashes of their bytes, 32 bytes each; None if they were compared with the log when they were read.
    `size_bytes` is that of the entries' bytes, `traces` are those of their events.
    """

    first_index: int
    entries: list[Entry]
    leaves: bytes | None
    size_bytes: int
    traces: list[str] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.first_index + len(self.entries)

    def extended(self, later: Batch) -> Batch:
        """This batch and `later`, which begins at its end. Both stay as they are: other consumers have them too."""
        assert self.leaves is not None
        assert later.leaves is not None
        return Batch(
            self.first_index,
            self.entries + later.entries,
            self.leaves + later.leaves,
            self.size_bytes + later.size_bytes,
            sorted({*self.traces, *later.traces}),
        )

    def part(self, start: int, end: int) -> Batch:
        """Its entries from the `start`-th up to the `end`-th; `size_bytes` by their share."""
        entries = self.entries[start:end]
        leaves = None if self.leaves is None else self.leaves[32 * start : 32 * end]
        size = self.size_bytes * len(entries) // max(1, len(self.entries))
        return Batch(self.first_index + start, entries, leaves, size, self.traces)

    def check(self, leaves: bytes) -> None:
        """Raise `LeafMismatch` unless each entry hashes to the log's leaf; a shorter log has fewer `leaves`."""
        own = self.leaves
        if own is None or own == leaves:
            return
        for number in range(len(self.entries)):
            if 32 * number == len(leaves):
                size = self.first_index + number
                raise LeafMismatch(older_copy(f"the log's topic holds index {size}", size))
            if own[32 * number : 32 * number + 32] != leaves[32 * number : 32 * number + 32]:
                index = self.first_index + number
                raise LeafMismatch(f"the entry that came as index {index} is not the one in the log's tree")
        raise LeafMismatch(f"there are more leaves than entries from index {self.first_index} on")


def parse_records(records: Sequence[ConsumerRecord]) -> list[Batch]:
    """Records of the log's topic as runs of consecutive indexes; a repeat begins a new run.

    Raises `LeafMismatch` for a record that is not an entry.
    """
    runs: list[tuple[int, list[Entry], list[bytes]]] = []
    expected = -1
    entries: list[Entry] = []
    raw: list[bytes] = []
    for record in records:
        try:
            index = int(record.headers[0][1])  # the registrar writes `index` first, then `leaf`
            entry = parse_entry(index, record.value)
        except (ValueError, LookupError, TypeError) as error:
            raise LeafMismatch(
                f"the record at offset {record.offset} of {record.topic} is no entry of the log"
            ) from error
        if index != expected:
            entries, raw = [], []
            runs.append((index, entries, raw))
        entries.append(entry)
        raw.append(record.value)
        expected = index + 1
    return [Batch(first, entries, _leaves(raw), sum(map(len, raw))) for first, entries, raw in runs]


def _leaves(raw: Sequence[bytes]) -> bytes:
    return b"".join([sha256(b"\x00" + entry).digest() for entry in raw])


class Unsubscribed(Retry):
    """The source puts nothing more: subscribe again."""


class BatchBuffer:
    """Between one task that puts and one that gets."""

    def __init__(self, entries_max: int) -> None:
        self._entries_max = entries_max
        self._batches: deque[Batch] = deque()
        self._growing = False
        self._under_way = False
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self._error: Exception | None = None

    def empty(self) -> bool:
        """Whether it holds no batch."""
        return not self._batches

    @contextmanager
    def growing(self) -> Iterator[None]:
        """While portions are put one after the other, `get` leaves the newest batch to grow."""
        self._growing = True
        try:
            yield
        finally:
            self._growing = False
            self._arrived.set()

    async def put(self, batch: Batch, wait_s: float) -> bool:
        """Add a batch to the one that it continues, if both fit into one transaction, else as a new one.

        Waits until a new one may begin; False if that takes longer than `wait_s`.
        """
        if self._batches and self._fits(batch):
            self._batches[-1] = self._batches[-1].extended(batch)
            return True
        if not await self.room(wait_s):
            return False
        self._batches.append(batch)
        self._arrived.set()
        return True

    async def room(self, wait_s: float) -> bool:
        """Wait until a new batch may begin; False if that takes longer than `wait_s`."""
        try:
            async with asyncio.timeout(wait_s):
                while len(self._batches) + self._under_way >= BATCHES_MAX:
                    self._taken.clear()
                    await self._taken.wait()
        except TimeoutError:
            return False
        return True

    def fail(self, error: Exception) -> None:
        """Let `get` raise `error` after the batches that are here."""
        self._error = error
        self._arrived.set()

    async def get(self) -> Batch:
        """The oldest batch; waits while there is none, or only one that still grows."""
        while not self._batches or (self._growing and len(self._batches) == 1):
            if self._error is not None and not self._batches:
                raise self._error
            self._arrived.clear()
            await self._arrived.wait()
        self._under_way = True
        return self._batches.popleft()

    def release(self) -> None:
        """The batch that `get` returned no longer counts. Call it when the batch is applied, or earlier."""
        self._under_way = False
        self._taken.set()

    def _fits(self, later: Batch) -> bool:
        last = self._batches[-1]
        return (
            later.first_index == last.end
            and len(last.entries) + len(later.entries) <= self._entries_max
            and last.size_bytes + later.size_bytes <= BATCH_BYTES_MAX
        )
