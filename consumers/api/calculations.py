"""The calculations that requests to this process ask for: in a thread, one at a time, or beside it, few at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from contextlib import ExitStack
from functools import partial
from typing import Any, Final, TypeVar

from cachetools import LRUCache

from consumers.api.calculation_pool import Slots, Work, calculated
from infra.settings import Settings

REMEMBERED_MAX: Final = 64

T = TypeVar("T")


class Calculations:
    """Those of one kind."""

    def __init__(self, settings: Settings, remembered_max: int = REMEMBERED_MAX) -> None:
        self._settings = settings
        self._slots = Slots()
        self._here = asyncio.Lock()
        self._known: LRUCache[Hashable, Any] = LRUCache(remembered_max)
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}

    async def here(self, calculation: Callable[[], T], key: Hashable | None) -> T:
        """In a thread. With a key the result is remembered."""
        async with self._here:
            if key in self._known:
                known: T = self._known[key]
                return known
            document = await asyncio.to_thread(calculation)
            if key is not None:
                self._known[key] = document
            return document

    async def beside(self, holder: str, work: Work[T], *arguments: Any) -> T:
        """In a process. Raises `Problem` like `Slots.using` and `calculated`."""
        with self._slots.using(holder):
            return await calculated(self._settings, work, *arguments)

    async def shared(self, holder: str, work: Work[T], *arguments: Any) -> T:
        """Like `beside`, once for all who ask the same; the result is remembered."""
        key = (work, *arguments)
        if key in self._known:
            known: T = self._known[key]
            return known
        task = self._under_way.get(key)
        if task is None:
            slot = ExitStack()
            slot.enter_context(self._slots.using(holder))
            task = self._under_way[key] = asyncio.create_task(calculated(self._settings, work, *arguments))
            task.add_done_callback(partial(self._ended, key, slot))
        # A caller that is cancelled does not cancel the calculation for the others.
        document: T = await asyncio.shield(task)
        return document

    def _ended(self, key: Hashable, slot: ExitStack, task: asyncio.Task[Any]) -> None:
        slot.close()
        del self._under_way[key]
        if not task.cancelled() and task.exception() is None:
            self._known[key] = task.result()
