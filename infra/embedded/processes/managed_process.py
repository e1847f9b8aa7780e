"""A supervised child process: started, watched, restarted with a growing wait, stopped with a deadline.

An error of the system (a full disk, no more processes) counts as a death of the child and is retried.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog
from msgspec import UNSET

from infra.clock import backoff_s
from infra.embedded.health import Readyz
from infra.embedded.processes.identity import Ending, identity_of
from infra.embedded.processes.log_tail import log_tail, rotate
from infra.embedded.servers.one_time_tool import RunAs
from infra.embedded.servers.ports import Ports
from infra.errors import StackError
from infra.observability.logs import LogOnce, first_line
from infra.process.tasks import stray_cancellation_as_error, until_one_ends
from infra.stack_record import ProcessRecord

RESTART_WAIT_MIN_S: Final = 0.2
RESTART_WAIT_MAX_S: Final = 5.0
STEADY_S: Final = 10.0
"""After this run time the next restart is quick again."""
DEATHS_BEFORE_READY_MAX: Final = 3
PROBE_STARTING_S: Final = 0.05
PROBE_READY_S: Final = 1.0

logger = structlog.get_logger("supervisor")


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """The plan of a child. `answer` says whether it is ready, or why it halted, which needs an operator.

    `prepare` runs (in a thread) before each start, `after_end` after each end, with the exit code. A port of `ports`
    that another program uses is replaced before that: the other callables must look it up each time.
    A service (`probe_while_running` false) is probed until it is ready, and then counts as ready while it runs: a probe
    of a broker is a login, and its users detect a failure first.
    """

    name: str
    command: Callable[[], Sequence[str]]
    answer: Callable[[], Awaitable[Readyz | None]]
    log: Path
    environment: Callable[[], Mapping[str, str]]
    ports: Ports = field(default_factory=lambda: Ports({}))
    ending: Ending = field(default_factory=Ending)
    prepare: Callable[[], None] = lambda: None
    after_end: Callable[[int | None], None] = lambda _: None
    run_as: Callable[[], RunAs] = RunAs
    probe_while_running: bool = True


class Child:
    """A supervised child. `record` is its published state; `changed` is called when that changes."""

    def __init__(self, plan: ChildPlan, record: ProcessRecord, changed: Callable[[], None]) -> None:
        self.plan = plan
        self.record = record
        self.became_ready = asyncio.Event()
        self.failure: str | None = None
        self._changed = changed
        self._stopping = False
        self._watching = False
        self._spawning = asyncio.Lock()
        self._quick_deaths = 0
        self._deaths_before_ready = 0
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_alive(), name=f"keep {self.plan.name} alive")

    async def until_ready(self, deadline_s: float) -> None:
        """Wait until it is first ready, or halts. Raises StackError if it keeps dying or takes too long."""
        waits = (asyncio.create_task(self.became_ready.wait()), self._task)
        await asyncio.wait([w for w in waits if w], timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED)
        waits[0].cancel()
        if self._task is not None and self._task.done() and not self._task.cancelled():
            self._task.result()
        if not self.became_ready.is_set():
            why = self.failure or f"was not ready after {deadline_s:.0f} s"
            words = log_tail(self.plan.log)
            raise StackError(f"{self.plan.name} {why}" + (f": {words}" if words else "") + f" (log: {self.plan.log})")

    async def stop(self) -> None:
        """Signal it, and kill it after its deadline; it is not restarted."""
        async with self._spawning:
            self._stopping = True
            process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(self.plan.ending.signal)
            try:
                async with asyncio.timeout(self.plan.ending.deadline_s):
                    await process.wait()
            except TimeoutError:
                logger.warning("killed: it did not end in time", child=self.plan.name)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if self._task is not None:
            if process is None or not self._watching:
                self._task.cancel()
            await asyncio.wait([self._task])
        self._note(state="stopped", pid=None, started=None, halted=None)

    async def _keep_alive(self) -> None:
        while not self._stopping:
            born = time.monotonic()
            try:
                how = await self._start_and_watch()
            except (OSError, StackError) as error:
                if isinstance(error, StackError) and not self.became_ready.is_set():
                    raise
                how = first_line(error)
            if self._stopping:
                return
            steady = time.monotonic() - born >= STEADY_S
            self._quick_deaths = 1 if steady else self._quick_deaths + 1
            if not self._may_restart(how):
                return
            chance = random.random()  # noqa: S311 - spreads waits, no secret
            wait = backoff_s(self._quick_deaths, chance, RESTART_WAIT_MIN_S, RESTART_WAIT_MAX_S)
            logger.warning("ended; restarting", child=self.plan.name, how=how, wait_s=wait)
            self._note(state="restarting", pid=None, started=None, halted=None, restarts=self.record.restarts + 1)
            await asyncio.sleep(wait)

    async def _start_and_watch(self) -> str:
        """One run of the child; returns how it ended. Raises only while no process runs, except for a bug."""
        await asyncio.to_thread(self._prepare)
        async with self._spawning:
            if self._stopping:
                return ""
            process = await self._spawn()
        self._watching = True
        try:
            await until_one_ends(process.wait(), self._probe())
            await asyncio.to_thread(self.plan.after_end, process.returncode)
        finally:
            self._watching = False
        return f"exit code {process.returncode}"

    def _prepare(self) -> None:
        self.plan.ports.renew()
        self.plan.prepare()

    def _may_restart(self, how: str) -> bool:
        """Whether to restart: always if it was ever ready, else up to a number of deaths."""
        if self.became_ready.is_set():
            return True
        self._deaths_before_ready += 1
        if self._deaths_before_ready < DEATHS_BEFORE_READY_MAX:
            return True
        self.failure = f"ended {self._deaths_before_ready} times before it was ready ({how})"
        self._note(state="failed", pid=None, started=None)
        return False

    async def _spawn(self) -> asyncio.subprocess.Process:
        rotate(self.plan.log)
        with self.plan.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.plan.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.plan.environment()),
                # A session of its own: ctrl-C in the terminal reaches only the supervisor, which stops all in order.
                start_new_session=True,
                **self.plan.run_as(),
            )
        identity = identity_of(self._process.pid)
        self._note(pid=self._process.pid, started=identity.started if identity else None)
        return self._process

    async def _probe(self) -> None:
        """Probe readiness until cancelled."""
        unanswered = LogOnce("readiness probe failed", "readiness probe succeeded again")
        while True:
            answer = None
            try:
                with stray_cancellation_as_error():
                    answer = await self.plan.answer()
                unanswered.ends(child=self.plan.name)
            except OSError as error:
                unanswered.begins(error, child=self.plan.name)
            is_ready = answer is not None and answer.ready
            reason = None if answer is None or answer.halted is UNSET else answer.halted
            self._note_answer(is_ready, reason)
            if is_ready and not self.plan.probe_while_running:
                await asyncio.Event().wait()
            await asyncio.sleep(PROBE_READY_S if is_ready or reason else PROBE_STARTING_S)

    def _note_answer(self, is_ready: bool, reason: str | None) -> None:
        if (is_ready or reason) and not self.became_ready.is_set():
            self.became_ready.set()
            logger.info("ready" if is_ready else "halted", child=self.plan.name)
        if is_ready:
            self._note(state="ready", halted=None)
        elif reason:
            self._note(state="halted", halted=reason)
        elif self.record.state in ("ready", "halted"):
            self._note(state="unready", halted=None)

    def _note(self, **changes: Any) -> None:
        before = {name: getattr(self.record, name) for name in changes}
        if before != changes:
            for name, value in changes.items():
                setattr(self.record, name, value)
            self._changed()
