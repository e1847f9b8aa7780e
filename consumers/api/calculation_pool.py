"""The calculations that requests to this process ask for: in a thread, one at a time, or in a pool of processes.

Seconds of processor time and the memory of a whole statement would delay the gateway's other requests.

In the pool they run at a low priority, few at once, and never all of them for one holder. One that takes too long, or
whose request is cancelled, is killed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Callable, Coroutine, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, Final, TypeVar

import structlog
import uvloop
from anyio import BrokenWorkerProcess, to_process
from cachetools import LRUCache

from events.errors import Tampered, YesserError
from infra.http.problems import Problem, changed_entry
from infra.http.rate_limits import Quota
from infra.http.routes import database_away
from infra.postgres.connection import is_transient
from infra.settings import Settings

AT_ONCE_MAX: Final = 2
BUSY_RETRY_S: Final = 5
_NICENESS: Final = 10

_logger = structlog.get_logger(__name__)
T = TypeVar("T")
Work = Callable[..., Coroutine[Any, Any, T]]
"""A function of a module, with the settings as its first argument. Its arguments and its result can be pickled."""


class Slots:
    """The calculations of one kind that run now."""

    def __init__(self) -> None:
        self._holders = Quota(AT_ONCE_MAX - 1, retry_after_s=BUSY_RETRY_S)
        self._used = 0

    @contextmanager
    def using(self, holder: str) -> Iterator[None]:
        """One slot while the block runs. Raises `Problem`: 503 if all are in use, 429 if `holder` has its share."""
        if self._used >= AT_ONCE_MAX:
            raise Problem("overloaded", retry_after_s=BUSY_RETRY_S)
        with self._holders.using(holder):
            self._used += 1
            try:
                yield
            finally:
                self._used -= 1


async def calculated(settings: Settings, work: Work[T], *arguments: Any) -> T:
    """What `work` returns. Raises `Problem`: 503 where it takes too long or an operator must act, 500 for our error."""
    try:
        async with asyncio.timeout(settings.gateway_as_of_timeout_s):
            done = await _in_a_process(settings, work, arguments)
    except TimeoutError:
        raise Problem("overloaded", retry_after_s=BUSY_RETRY_S) from None
    if isinstance(done, _Failed):
        _logger.error("a calculation failed", work=work.__qualname__, reason=done.reason)
        raise done.problem
    return done


async def _in_a_process(settings: Settings, work: Work[T], arguments: tuple[Any, ...]) -> T | _Failed:
    """What the calculation gives in a process of the pool.

    A process may have been killed while it waited for work, for lack of memory, say; the pool notices that only when
    it sends the next calculation. A calculation only reads, so it is tried once more.
    """
    reason = ""
    for _ in range(2):
        try:
            return await to_process.run_sync(_run, work, settings, arguments, cancellable=True)
        except BrokenWorkerProcess as error:
            reason = f"its process ended: {error.__cause__ or error!r}"
    return _Failed(reason, Problem("gateway-fault", retry_after_s=1))


@dataclass(frozen=True, slots=True)
class _Failed:
    """Why a calculation has no result, and what its request is answered. An error itself may not be pickled."""

    reason: str
    problem: Problem


def _run(work: Work[T], settings: Settings, arguments: tuple[Any, ...]) -> T | _Failed:
    """The calculation, in its process."""
    os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    sys.modules.setdefault("__main__", ModuleType("__main__"))  # duckdb looks for it; a parent without a file has none
    try:
        return uvloop.run(work(settings, *arguments))
    except Tampered as error:
        return _Failed(str(error), changed_entry(getattr(error, "index", None)))
    except Exception as error:
        if isinstance(error, YesserError) or is_transient(error):
            return _Failed(str(error), database_away(error))
        return _Failed(traceback.format_exc(), Problem("gateway-fault", retry_after_s=1))


REMEMBERED_MAX: Final = 64


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
