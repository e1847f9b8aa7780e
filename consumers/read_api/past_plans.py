"""The plan as of an index: the log is folded again, by a process of its own, and the answer never changes.

Folding a long log takes seconds of processor time, which would delay the gateway's other requests. So
`yesser plan --as-of-index` runs in child processes, at a low priority, few at once, and never all of them for one
holder of tokens. Requests for the same index share one of them. Results are cached: the first N entries never change.
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
from infra.http.quotas import Quota
from infra.process.subprocess_command import subprocess_command, subprocess_environment
from infra.process.tasks import retrieve_error
from infra.settings import Settings

AT_ONCE_MAX: Final = 2
REMEMBERED_MAX: Final = 256
BUSY_RETRY_S: Final = 5
_NICENESS: Final = 10
_AWAY_EXITS: Final = (ExitCode.ANSWER_IS_NO, ExitCode.TRY_AGAIN)
"""Exit codes of errors that an operator can solve, such as a database that does not answer."""

_logger = structlog.get_logger(__name__)


class PastPlans:
    """Plans as of an index. `fold` computes one, see `fold_beside`."""

    def __init__(self, fold: Callable[[int], Awaitable[dict[str, Any]]]) -> None:
        self._fold = fold
        self._holders = Quota(AT_ONCE_MAX - 1, retry_after_s=BUSY_RETRY_S)
        self._known: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._under_way: dict[int, asyncio.Task[dict[str, Any]]] = {}

    async def plan(self, index: int, holder: str) -> dict[str, Any]:
        """The plan after `index` entries, which the log has.

        Raises `Problem`: 503 if too many are being computed, 429 if `holder` has its share of them.
        """
        if index in self._known:
            self._known.move_to_end(index)
            return self._known[index]
        task = self._under_way.get(index)
        if task is None:
            if len(self._under_way) >= AT_ONCE_MAX:
                raise Problem("overloaded", retry_after_s=BUSY_RETRY_S)
            self._holders.take(holder)
            task = self._under_way[index] = asyncio.create_task(self._remembered(index))
            task.add_done_callback(lambda _: self._holders.give_back(holder))
            task.add_done_callback(retrieve_error)
        # A caller that is cancelled does not cancel the fold for the others.
        return await asyncio.shield(task)

    async def _remembered(self, index: int) -> dict[str, Any]:
        try:
            document = self._known[index] = await self._fold(index)
        finally:
            del self._under_way[index]
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)
        return document


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
