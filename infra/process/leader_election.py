"""Leader election: of all processes with one role, the one that holds the lease works, and the others stand by.

The lease says who should work (liveness); its epoch, checked inside each transaction, says whose writes count (safety).
What follows the end of a term depends on the error's class alone (`infra.process.reaction`). A wait is reported once,
however often it is met, and a halt once a minute. The lease's row has the reason of a halt while nobody works.

The lease is renewed from a thread of its own, on a connection of its own: no work of the process can delay it. A thread
alone would also keep the lease of a process whose event loop hangs. So at each renewal it asks the loop for a
sign of life, and stops renewing when none has come for `LOOP_STALLED_S`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar
from uuid import uuid4

import structlog

from events.errors import Fenced, Halt
from infra.observability.logs import LogOnce
from infra.observability.telemetry import count, forget_gauges
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connected
from infra.process import lease
from infra.process.health import Progress
from infra.process.lease import LeaseSpec
from infra.process.reaction import Reaction, reaction_to
from infra.process.tasks import pause, until_one_ends
from infra.settings import Settings

HALTED_AGAIN_S: Final = 60.0
"""A halt is logged again after this long."""

log = structlog.get_logger()


@dataclass(slots=True)
class Term:
    """One epoch of the leader. Work ends soon after `stop` is set; what is under way may be finished first."""

    epoch: int
    stop: asyncio.Event
    _connections: set[Connection] = field(default_factory=set)

    @asynccontextmanager
    async def connected(
        self, settings: Settings, application: str, *, batch: bool = False
    ) -> AsyncIterator[Connection]:
        """A connection (see `connect`), closed at the end of the block.

        It is cut when the lease is lost, so that a task waiting for its answer fails at once: a cancellation alone
        would wait for the answer to a rollback.
        """
        async with connected(settings, application, batch=batch) as connection:
            self._connections.add(connection)
            try:
                yield connection
            finally:
                self._connections.remove(connection)

    def end_with(self, lost: asyncio.Future[None]) -> None:
        """`lost` failed: the lease is. Where it was cancelled, the work has ended."""
        if lost.cancelled():
            return
        for connection in self._connections:
            connection.terminate()


Work: TypeAlias = Callable[[Term], Coroutine[Any, Any, None]]
"""What the leader does, until the term's `stop` or an error. Where it returns earlier, a new term begins."""


Eligible: TypeAlias = Callable[[Connection], Coroutine[Any, Any, None]]
"""Raises `Halt` where this process cannot do the work. It is asked before each claim: it then leaves the lease to one
that can."""


async def always(_: Connection) -> None:
    """Eligible in any case."""


class LeaderParts:
    """The parts of a process that work side by side, and end their term together.

    A wait or a halt is over when each part that failed has had a good round: the rounds of the others say nothing.
    """

    def __init__(self, moved: Callable[[], None]) -> None:
        self._moved = moved
        self._failed: set[str] = set()

    async def run(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        """Run a part until it returns, or fails."""
        try:
            await part()
        except Exception:
            self.failed(name)
            raise

    def failed(self, name: str) -> None:
        """An error of this part ends the term."""
        self._failed.add(name)

    def ended(self, name: str) -> None:
        """A round of this part was good."""
        self._failed.discard(name)
        if not self._failed:
            self._moved()


class LeaderElection:
    """Stands by for the lease of `spec`, and works while it holds it. `progress` says how that goes."""

    def __init__(
        self, settings: Settings, spec: LeaseSpec, work: Work, progress: Progress, eligible: Eligible = always
    ) -> None:
        self.progress = progress
        self.epoch: int | None = None
        self._settings = settings
        self._spec = spec
        self._work = work
        self._eligible = eligible
        self._ineligible = False
        self._owner = f"{socket.gethostname()}-{uuid4().hex[:8]}"
        self._wait_ms = settings.retry_wait_min_ms
        self._halt = LogOnce("halted: nothing more is written", "no longer halted", again_s=HALTED_AGAIN_S)
        self._wait = LogOnce("waiting to try again", "going on")

    def moved(self) -> None:
        """Work was done: no halt and no wait holds any more."""
        self.progress.halted = None
        self._halt.ends(lease=self._spec.name)
        self.idle()

    def idle(self) -> None:
        """There is nothing to do: no wait holds any more."""
        self._wait_ms = self._settings.retry_wait_min_ms
        self._wait.ends(lease=self._spec.name)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises an error that needs an operator; a bug ends the process (`SystemExit`)."""
        while not stop.is_set():
            try:
                epoch = await self._stand_by(stop)
                if epoch is not None:
                    await self._lead(Term(epoch, stop))
            except Exception as error:
                await self._react(error, stop)

    async def _react(self, error: Exception, stop: asyncio.Event) -> None:
        match reaction_to(error):
            case Reaction.STAND_DOWN:
                count("fenced_writers", process=self._spec.process)
                log.warning("another process took over: standing by", lease=self._spec.name, reason=str(error))
            case Reaction.HALT:
                self.progress.halted = str(error)
                self._halt.begins(error, lease=self._spec.name)
                await self._note_halt(str(error))
                await pause(stop, self._settings.halted_retry_ms / 1000)
            case Reaction.RETRY:
                self._wait.begins(error, lease=self._spec.name)
                count("retries", process=self._spec.process)
                await pause(stop, self._wait_ms / 1000)
                self._wait_ms = min(2 * self._wait_ms, self._settings.retry_wait_max_ms)
            case Reaction.RAISE:
                raise error
            case Reaction.BUG:
                log.error("an unknown error ends the process", lease=self._spec.name, exc_info=error)
                raise SystemExit(os.EX_SOFTWARE) from None

    async def _note_halt(self, reason: str) -> None:
        """Without a database it is noted after the next try."""
        with suppress(*TRANSIENT_ERRORS):
            async with self._spec.connected("halt") as connection:
                await lease.note_halt(connection, self._spec.name, reason, table=self._spec.table)

    async def _stand_by(self, stop: asyncio.Event) -> int | None:
        """The epoch, as soon as the lease is free; None at a stop."""
        name, table = self._spec.name, self._spec.table
        began = time.monotonic()
        async with self._spec.connected("election") as connection:
            while not stop.is_set():
                await self._require_eligible(connection)
                epoch = await lease.claim(connection, name, self._owner, self._settings, table=table)
                if epoch is not None:
                    self.progress.owner = self._owner
                    if self.progress.standby:
                        self.progress.standby = False
                        self.progress.begin()
                    return epoch
                await self._note_standby(connection)
                if time.monotonic() - began > 2 * self._settings.halted_retry_ms / 1000:
                    # The owner works. One that halts as well leaves the lease free before this.
                    self.moved()
                self.idle()
                await pause(stop, self._settings.lease_renew_ms / 1000)
            return None

    async def _require_eligible(self, connection: Connection) -> None:
        try:
            await self._eligible(connection)
        except Halt:
            self._ineligible = True
            await self._note_standby(connection)
            raise
        if self._ineligible:
            self._ineligible = False
            self.moved()

    async def _note_standby(self, connection: Connection) -> None:
        self.progress.standby = True
        self.progress.owner = await lease.owner(connection, self._spec.name, table=self._spec.table)
        forget_gauges(self._spec.process)

    async def _lead(self, term: Term) -> None:
        self.epoch = term.epoch
        try:
            async with renewing(self._spec, term.epoch, self._settings) as lost:
                lost.add_done_callback(term.end_with)
                await until_one_ends(lost, self._work_as_owner(term))
        finally:
            self.epoch = None

    async def _work_as_owner(self, term: Term) -> None:
        """A superseded owner compares what its successor has written with its own older state: that is no halt."""
        try:
            await self._work(term)
        except Halt:
            await lease.require(self._spec, term.epoch)
            raise


Answer = TypeVar("Answer")

LOOP_STALLED_S: Final = 30.0
"""An event loop that answers nothing for this long hangs: another process takes over."""
JOIN_TIMEOUT_S: Final = 2.0
"""Longest wait for the release. A thread that still waits for its database ends by itself, within a lease."""


@asynccontextmanager
async def renewing(spec: LeaseSpec, epoch: int, settings: Settings) -> AsyncIterator[asyncio.Future[None]]:
    """Renew while the block runs, then release. The future fails when the lease is lost: `Fenced`, or the database's
    error."""
    renewal = _Renewal(spec, epoch, settings)
    renewal.thread.start()
    try:
        yield renewal.lost
    finally:
        renewal.lost.cancel()
        await renewal.end()


@dataclass(slots=True)
class _Renewal:
    spec: LeaseSpec
    epoch: int
    settings: Settings
    lost: asyncio.Future[None] = field(init=False)
    thread: threading.Thread = field(init=False)
    _caller: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _own: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _end: asyncio.Event = field(default_factory=asyncio.Event)
    _unanswered: int = 0

    def __post_init__(self) -> None:
        self.lost = self._caller.create_future()
        self.thread = threading.Thread(target=self._run, name=f"{self.spec.name} lease", daemon=True)

    async def end(self) -> None:
        """End the thread, which releases the lease if it still has it."""
        with suppress(RuntimeError):  # its loop has ended already
            self._own.call_soon_threadsafe(self._end.set)
        await asyncio.to_thread(self.thread.join, JOIN_TIMEOUT_S)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._own) as runner:
                runner.run(self._renew_and_release())
        except BaseException as error:  # whatever it was, the lease is not renewed any more
            with suppress(RuntimeError):  # the caller's loop is closed
                self._caller.call_soon_threadsafe(self._report, error)

    async def _renew_and_release(self) -> None:
        name, table = self.spec.name, self.spec.table
        async with self.spec.connected("lease") as connection:
            while not self._end.is_set():
                self._require_loop()
                renewed = lease.renew(connection, name, self.epoch, self.settings, table=table)
                if not await self._answer_to(renewed, connection):
                    raise Fenced(f"epoch {self.epoch} of the {name} was superseded")
                await pause(self._end, self.settings.lease_renew_ms / 1000)
            await self._answer_to(lease.release(connection, name, self.epoch, table=table), connection)

    async def _answer_to(self, question: Coroutine[Any, Any, Answer], connection: Connection) -> Answer:
        """A database that does not answer for as long as a lease lasts is cut off."""
        cut = self._own.call_later(self.settings.lease_ms / 1000, connection.terminate)
        try:
            return await question
        finally:
            cut.cancel()

    def _require_loop(self) -> None:
        """Questions are counted, not seconds: while the whole process was stopped, none was asked."""
        if self._unanswered * self.settings.lease_renew_ms / 1000 > LOOP_STALLED_S:
            raise Fenced(f"the event loop has answered nothing for {LOOP_STALLED_S:.0f} s: the lease is given up")
        self._unanswered += 1
        self._caller.call_soon_threadsafe(self._show_life)

    def _show_life(self) -> None:
        self._unanswered = 0

    def _report(self, error: BaseException) -> None:
        if not self.lost.done():
            self.lost.set_exception(error)
