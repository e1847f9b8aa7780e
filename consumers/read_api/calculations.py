"""The calculations that requests to this process ask for: in a thread, one at a time, or beside it, few at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

from consumers.read_api.beside import Slots, Work, calculated
from consumers.read_api.remembered import Remembered
from infra.settings import Settings

REMEMBERED_MAX: Final = 64

T = TypeVar("T")


class Calculations:
    """Those of one kind."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._slots = Slots()
        self._here = asyncio.Lock()
        self._known: Remembered[Any] = Remembered(REMEMBERED_MAX)

    async def here(self, calculation: Callable[[], T], key: Hashable | None) -> T:
        """In a thread. With a key the result is remembered."""
        async with self._here:
            known: T | None = None if key is None else self._known.get(key)
            if known is not None:
                return known
            document = await asyncio.to_thread(calculation)
            if key is not None:
                self._known.add(key, document)
            return document

    async def beside(self, holder: str, work: Work[T], *arguments: Any) -> T:
        """In a process. Raises `Problem` like `Slots.using` and `beside.calculated`."""
        with self._slots.using(holder):
            return await calculated(self._settings, work, *arguments)
