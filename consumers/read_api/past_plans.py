"""The plan as of an index: the log is folded again, by a process of its own, and the answer never changes.

Folding takes seconds of a processor for a long log, which the process that takes events in does not have to spare. So
`yesser plan --as-of-index` runs beside it, at a low priority, few at once; whoever asks for one that is under way
already waits for the same. What was found is remembered: the first N entries are the same for ever.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import orjson
import psutil
import structlog

from infra.command_line.exit_codes import ExitCode
from infra.http.problems import Problem
from infra.process.subprocess_command import subprocess_command, subprocess_environment
from infra.settings import Settings

AT_ONCE_MAX: Final = 2
REMEMBERED_MAX: Final = 256
BUSY_RETRY_S: Final = 5
_NICENESS: Final = 10
_AWAY_EXITS: Final = (ExitCode.ANSWER_IS_NO, ExitCode.TRY_AGAIN)
"""With this exit code a command has said in a sentence what its user can do something about."""

_logger = structlog.get_logger(__name__)


class PastPlans:
    """Plans as of an index. `fold` makes one, as `fold_beside` does."""

    def __init__(self, fold: Callable[[int], Awaitable[dict[str, Any]]]) -> None:
        self._fold = fold
        self._known: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._under_way: dict[int, asyncio.Task[dict[str, Any]]] = {}

    async def plan(self, index: int) -> dict[str, Any]:
        """The plan after `index` entries, which the log has. Raises `Problem` (503) where too many are under way."""
        if index in self._known:
            self._known.move_to_end(index)
            return self._known[index]
        task = self._under_way.get(index)
        if task is None:
            if len(self._under_way) >= AT_ONCE_MAX:
                raise Problem("overloaded", retry_after_s=BUSY_RETRY_S)
            task = self._under_way[index] = asyncio.create_task(self._remembered(index))
            task.add_done_callback(_looked_at)
        # Whoever goes away leaves the others, and the next one, what was begun.
        return await asyncio.shield(task)

    async def _remembered(self, index: int) -> dict[str, Any]:
        try:
            document = self._known[index] = await self._fold(index)
        finally:
            del self._under_way[index]
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)
        return document


def _looked_at(task: asyncio.Task[dict[str, Any]]) -> None:
    """A failure that nobody waited for is not one of the event loop's."""
    if not task.cancelled():
        task.exception()


def fold_beside(settings: Settings) -> Callable[[int], Awaitable[dict[str, Any]]]:
    """Folds in a process of its own. Raises `Problem` (503, 500)."""

    async def fold(index: int) -> dict[str, Any]:
        child = await asyncio.create_subprocess_exec(
            *subprocess_command("plan", "--json", "--as-of-index", str(index)),
            env=subprocess_environment(settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            with suppress(psutil.Error):
                psutil.Process(child.pid).nice(_NICENESS)
            async with asyncio.timeout(settings.gateway_as_of_timeout_s):
                output, errors = await child.communicate()
        except TimeoutError:
            raise Problem("overloaded", retry_after_s=BUSY_RETRY_S) from None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode == 0:
            document: dict[str, Any] = orjson.loads(output)
            return document
        _logger.error(
            "the plan as of an index was not made", index=index, reason=errors.decode(errors="replace")[-500:]
        )
        raise Problem("database-away" if child.returncode in _AWAY_EXITS else "gateway-fault", retry_after_s=1)

    return fold
