"""News of the log for pages that are open: sent when the position of any read model has moved.

One query serves all pages, and only while any is open. A page that hears of a new position loads itself again. A
consumer that is halted keeps its own position, and nobody else's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from events.errors import Retry
from infra.postgres.connection import TRANSIENT_ERRORS, Pool
from infra.postgres.sql import queries

LOOK_EVERY_S: Final = 0.25
KEEP_ALIVE_S: Final = 15.0
PAGES_MAX: Final = 1_000
_SQL: Final = queries("consumers.console.data", "live.sql")


class TooManyPages(Retry):
    """As many pages listen as this process serves."""


class Live:
    """Watches the positions for all open pages. `run` ends with its task."""

    def __init__(self, pool: Pool, look_every_s: float = LOOK_EVERY_S, pages_max: int = PAGES_MAX) -> None:
        self._pool = pool
        self._look_every_s = look_every_s
        self._pages_max = pages_max
        self._pages: set[asyncio.Queue[int]] = set()
        self._opened = asyncio.Event()
        self._is_away = False
        self._seen: tuple[tuple[str, int], ...] = ()

    async def positions(self) -> tuple[tuple[str, int], ...]:
        """Each consumer's position now."""
        rows = await self._pool.fetch(_SQL["positions"])
        return tuple((row["consumer"], row["position"]) for row in rows)

    async def run(self) -> None:
        while True:
            await self._opened.wait()
            seen, was_away = self._seen, self._is_away
            try:
                seen = await self.positions()
                self._is_away = False
            except TRANSIENT_ERRORS:  # pages load what is still there, and again when the database answers
                self._is_away = True
            if (seen, self._is_away) != (self._seen, was_away):
                self._seen = seen
                for page in self._pages:
                    page.put_nowait(max((position for _, position in seen), default=0))
            await asyncio.sleep(self._look_every_s)

    def events(self) -> AsyncIterator[bytes]:
        """Server-sent events for one page: `position` with the highest one, and comments that keep the connection.

        Raises `TooManyPages`, before anything is sent.
        """
        if len(self._pages) >= self._pages_max:
            raise TooManyPages
        return self._events()

    async def _events(self) -> AsyncIterator[bytes]:
        page: asyncio.Queue[int] = asyncio.Queue()
        self._pages.add(page)
        self._opened.set()
        try:
            yield b"retry: 2000\n\n"
            while True:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        position = await page.get()
                except TimeoutError:
                    yield b": \n\n"
                    continue
                while not page.empty():
                    position = page.get_nowait()
                yield b"event: position\ndata: %d\n\n" % position
        finally:
            self._pages.discard(page)
            if not self._pages:
                self._opened.clear()
