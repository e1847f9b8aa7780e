"""A pause after a small read, so that what arrives meanwhile shares the next read and the next transaction.

A transaction costs a millisecond however little it holds. What comes alone waits for nothing, and a backlog is read
without a pause (docs/decisions/small-reads-are-paced.md).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

SMALL_BYTES: Final = 64 << 10


class Pace:
    """The pause between two small reads of one reader."""

    def __init__(self, pause_ms: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause_s = pause_ms / 1000
        self._clock = clock
        self._ends_at = 0.0

    def begin(self, values: Iterable[bytes | None]) -> bool:
        """Begin the pause if the records with these values are a small read; whether it began."""
        size = 0
        for value in values:
            size += len(value or b"")
            if size >= SMALL_BYTES:
                return False
        is_small = size > 0 and self._pause_s > 0
        if is_small:
            self._ends_at = self._clock() + self._pause_s
        return is_small

    async def end(self) -> None:
        """Wait until the pause is over."""
        left_s = self._ends_at - self._clock()
        if left_s > 0:
            await asyncio.sleep(left_s)
