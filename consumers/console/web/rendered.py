"""Rendered parts of pages, kept until the log moves: two hundred open pages that load themselves again cost one
rendering.

What is kept has no name, secret or form of a person in it: the layout around it is rendered for each request.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from cachetools import LRUCache
from markupsafe import Markup

from infra.clock import Clock
from infra.http.problems import Problem
from infra.postgres.connection import TRANSIENT_ERRORS
from infra.process.tasks import retrieve_error

BYTES_MAX: Final = 12 * 1024 * 1024
"""Of all kept parts together."""
_OVERHEAD_BYTES: Final = 4096
"""What a part counts for besides its text, so that small parts are not too many."""
_AWAY: Final = "database-away"
_GZIP_LEVEL: Final = 5
Positions = tuple[tuple[str, int], ...]
"""Consumers and their positions: what is shown can change only with them."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """A rendered part. `since` is set where the database does not answer: when this part was last known to hold."""

    html: Markup
    status: int = 200
    title: str = ""
    since: datetime | None = None
    packed: bytes = b""
    """For open pages that load themselves again: the page's `main` alone, compressed once for all of them."""


def rendered_part(html: Markup, status: int = 200, title: str = "") -> Part:
    """A part as it was rendered just now."""
    main = Markup('<main id="main">{}</main>').format(html)
    return Part(html, status, title, packed=gzip.compress(main.encode(), _GZIP_LEVEL))


class NextRead(Generic[T]):
    """One read for all who ask meanwhile. Nobody gets what was read before they asked."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._running: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def get(self) -> T:
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._running))
            self._next.add_done_callback(retrieve_error)
        return await asyncio.shield(self._next)

    async def _after(self, running: asyncio.Task[T] | None) -> T:
        if running is not None:
            await asyncio.wait([running])
        self._running, self._next = self._next, None  # who asks from now on waits for another read
        return await self._read()


@dataclass(slots=True)
class _Kept:
    part: Part
    at: Positions
    confirmed: datetime


class Rendered:
    """Keeps parts by what they show and for whom. `positions` reads those of all consumers."""

    def __init__(
        self,
        positions: Callable[[], Awaitable[Positions]],
        clock: Clock,
        bytes_max: int = BYTES_MAX,
    ) -> None:
        self._positions = NextRead(positions)
        self._clock = clock
        self._kept: LRUCache[Hashable, _Kept] = LRUCache(bytes_max, getsizeof=_size)
        self._under_way: dict[tuple[Hashable, Positions], asyncio.Task[Part]] = {}

    async def part(self, key: Hashable, render: Callable[[], Awaitable[Part]]) -> Part:
        """The part of this key as of now, rendered if the log has moved since.

        Where the database does not answer: the last one, if there is one. Else raises what `render` raises, or one of
        `TRANSIENT_ERRORS`.
        """
        try:
            positions = await self._positions.get()
            kept = self._kept.get(key)
            if kept is not None and kept.at == positions:
                kept.confirmed = self._clock()
                return kept.part
            return await self._rendered(key, positions, render)
        except (*TRANSIENT_ERRORS, Problem) as error:
            kept = self._kept.get(key)
            if kept is None or (isinstance(error, Problem) and error.code != _AWAY):
                raise
            return Part(kept.part.html, kept.part.status, kept.part.title, since=kept.confirmed)

    async def _rendered(self, key: Hashable, positions: Positions, render: Callable[[], Awaitable[Part]]) -> Part:
        task = self._under_way.get((key, positions))
        if task is None:
            task = self._under_way[key, positions] = asyncio.create_task(self._keep(key, positions, render))
            task.add_done_callback(retrieve_error)
        # Somebody who leaves does not take the page from the others.
        return await asyncio.shield(task)

    async def _keep(self, key: Hashable, positions: Positions, render: Callable[[], Awaitable[Part]]) -> Part:
        try:
            part = await render()
        finally:
            del self._under_way[key, positions]
        self._kept.pop(key, None)
        with suppress(ValueError):  # larger than the whole cache
            self._kept[key] = _Kept(part, positions, self._clock())
        return part


def _size(kept: _Kept) -> int:
    return len(kept.part.html) + len(kept.part.packed) + _OVERHEAD_BYTES
