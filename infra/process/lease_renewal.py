"""Renews a lease from a thread of its own, on a connection of its own: no work of the process can delay it.

A thread alone would also keep the lease of a process whose event loop hangs. So at each renewal it asks the loop for a
sign of life, and stops renewing when none has come for `LOOP_STALLED_S`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from events.errors import Fenced
from infra.postgres.connection import Connection
from infra.process import lease
from infra.process.lease import LeaseSpec
from infra.process.tasks import pause
from infra.settings import Settings

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
