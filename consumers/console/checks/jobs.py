"""The checks that run now, and the last result of each kind. One of a kind at once, and one for each account."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import orjson
import psutil
import structlog

from consumers.documents.document import document_of
from consumers.documents.log.commitments import CheckResult
from infra.clock import Clock
from infra.process.subprocess_command import subprocess_environment
from infra.settings import Settings

RUN_MAX_S: Final = 3_600
_NICENESS: Final = 10
_LINE_BYTES_MAX: Final = 1 << 20
_UNFINISHED: Final = CheckResult(ok=None)
_logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class Job:
    """A check. `result` is None while it runs."""

    kind: str
    account: str
    started: datetime
    done: int = 0
    total: int = 0
    ended: datetime | None = None
    result: CheckResult | None = None

    @property
    def is_running(self) -> bool:
        return self.result is None


@dataclass(slots=True)
class Checks:
    """`command` starts the process of a check of this kind; `clock` gives the time of day."""

    settings: Settings
    clock: Clock
    command: Callable[[str], list[str]] = field(
        default=lambda kind: [sys.executable, "-P", "-m", "consumers.console.checks.child", kind]
    )
    latest: dict[str, Job] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self, kind: str, account: str) -> bool:
        """Start a check of a kind; False where this kind runs already, or the account has another one."""
        running = [job for job in self.latest.values() if job.is_running]
        if any(job.kind == kind or job.account == account for job in running):
            return False
        job = self.latest[kind] = Job(kind, account, self.clock())
        task = asyncio.create_task(self._run(job), name=f"check {kind}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _run(self, job: Job) -> None:
        result: CheckResult | None = None
        try:
            async with asyncio.timeout(RUN_MAX_S):
                result = await self._finished(job)
        except (OSError, TimeoutError, ValueError) as error:
            _logger.error("a check failed", kind=job.kind, exc_info=error)
        finally:
            job.ended = self.clock()
            job.result = result or _UNFINISHED

    async def _finished(self, job: Job) -> CheckResult | None:
        """Follow the process to its end. It is killed where this is cancelled."""
        child = await asyncio.create_subprocess_exec(
            *self.command(job.kind),
            env=subprocess_environment(self.settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_BYTES_MAX,
        )
        result: CheckResult | None = None
        try:
            with suppress(psutil.Error):
                psutil.Process(child.pid).nice(_NICENESS)
            assert child.stdout is not None
            async for line in child.stdout:
                said = orjson.loads(line)
                job.done, job.total = said.get("done", job.done), said.get("total", job.total)
                result = document_of(CheckResult, said["result"]) if "result" in said else None
            await child.wait()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        return result
