"""What has arrived and is not applied yet: parsed entries, joined into transactions of their full size.

Parsing and applying share one thread, so what matters is when each has its turn. Records are parsed in small portions
that join here to the next transaction, and room for a new one is made just before the transaction under way waits for
PostgreSQL the longest, which is while its rows are written: then there is time to parse.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from consumers.pipeline.writer import Batch

BATCHES_MAX: Final = 2
"""How many transactions may be here, the one under way included until its rows are written: a bound on memory."""


class BatchBuffer:
    """Between one task that puts and one that gets."""

    def __init__(self, entries_max: int) -> None:
        self._entries_max = entries_max
        self._batches: deque[Batch] = deque()
        self._growing = False
        self._under_way = False
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()

    def empty(self) -> bool:
        """Whether nothing is here."""
        return not self._batches

    @contextmanager
    def growing(self) -> Iterator[None]:
        """While portions are put one after the other, the newest batch is left to grow."""
        self._growing = True
        try:
            yield
        finally:
            self._growing = False
            self._arrived.set()

    async def put(self, batch: Batch) -> None:
        """Add a batch to the one that it continues, if the two fit into one transaction, else as a new one."""
        if not (self._batches and self._batches[-1].extend(batch, self._entries_max)):
            await self.room()
            self._batches.append(batch)
            self._arrived.set()

    async def room(self) -> None:
        """Wait until a new batch may begin."""
        while len(self._batches) + self._under_way >= BATCHES_MAX:
            self._taken.clear()
            await self._taken.wait()

    async def get(self) -> Batch:
        """The oldest batch; waits while there is none, or only one that still grows."""
        while not self._batches or (self._growing and len(self._batches) == 1):
            self._arrived.clear()
            await self._arrived.wait()
        self._under_way = True
        return self._batches.popleft()

    def release(self) -> None:
        """What `get` gave takes no place any more. To be called at the latest when it is applied."""
        self._under_way = False
        self._taken.set()
