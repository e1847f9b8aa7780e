"""The entries that have arrived and are not applied yet, joined into transactions of their full size.

Parsing and applying share one thread. Records are parsed in small portions that join here to the next transaction. Room
for a new one is made when the rows of the transaction under way are about to be written: PostgreSQL is then busy the
longest, and there is time to parse.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from consumers.replay.pipeline.batch import Batch
from events.errors import Retry

BATCHES_MAX: Final = 2
"""Transactions in memory, the one under way included until its rows are written."""
BATCH_BYTES_MAX: Final = 2 << 20
"""Bytes of the entries of one transaction: what an entry writes grows with its size, and most have some 500 bytes."""


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
