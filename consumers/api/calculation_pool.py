"""Calculations that a request runs in a pool of processes.

Seconds of processor time and the memory of a whole statement would delay the gateway's other requests.

They run at a low priority, few at once, and never all of them for one holder. One that takes too long, or whose request
is cancelled, is killed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, TypeVar

import structlog
import uvloop
from anyio import BrokenWorkerProcess, to_process

from events.errors import Tampered, YesserError
from infra.http.problems import Problem, changed_entry
from infra.http.quotas import Quota
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
            return _Failed(str(error), Problem("database-away", retry_after_s=1))
        return _Failed(traceback.format_exc(), Problem("gateway-fault", retry_after_s=1))
