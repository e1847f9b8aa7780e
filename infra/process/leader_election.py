"""One works and the others stand by: a process that does its work while it has a lease, and waits where it cannot.

A service that is away ends the work, never the process: that is said once, and the work starts again from what stands
in the database. Who was stopped and continued finds its epoch superseded and stands by.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import uuid4

import structlog

from events.errors import YesserError
from infra.observability.logs import LogOnce
from infra.observability.telemetry import count, forget_gauges
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, is_transient
from infra.process import lease
from infra.process.health import PATIENCE_S, STALLED_AFTER_S, Readiness
from infra.process.tasks import pause, until_one_ends
from infra.settings import Settings

Work: TypeAlias = Callable[[int], Coroutine[Any, Any, None]]
"""What the holder of the lease does, given its epoch, until it is cancelled or fails."""

log = structlog.get_logger()


class Fenced(Exception):
    """Another owner has taken over: this one stands by."""


@dataclass(frozen=True, slots=True)
class LeaseSpec:
    """What only one may do: the name of its lease, how to open a connection to where that is, and the lease's table."""

    name: str
    open: Callable[[str], Awaitable[Connection]]
    table: str = lease.TABLE


class LeaderElection:
    """Stands by for the lease of its post, and works while it has it.

    `passing` are the errors that are waited for, besides those of the database.
    """

    def __init__(
        self, settings: Settings, post: LeaseSpec, work: Work, *, passing: tuple[type[BaseException], ...]
    ) -> None:
        self._settings = settings
        self._post = post
        self._name = post.name
        self._work = work
        self._passing = passing
        self._owner = f"{socket.gethostname()}-{uuid4().hex[:8]}"
        self._wait = LogOnce(f"the {post.name} waits to go on", f"the {post.name} goes on")
        self._moved_at = time.monotonic()
        self.epoch: int | None = None

    def moved(self) -> None:
        """Something was done, or there was nothing to do."""
        self._moved_at = time.monotonic()
        self._wait.ends()

    def readiness(self) -> Readiness:
        """Ready while it stands by, or has lately done something or found nothing to do."""
        idle_s = time.monotonic() - self._moved_at
        details: dict[str, object] = {
            "role": "standby" if self.epoch is None else "active",
            "seconds_since_moved": round(idle_s, 1),
        }
        return Readiness(idle_s < STALLED_AFTER_S, details, idle_s < STALLED_AFTER_S + PATIENCE_S)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. An error that passes waits, longer each time; one that a user can mend is raised."""
        wait_ms = self._settings.retry_wait_min_ms
        while not stop.is_set():
            moved_at = self._moved_at
            try:
                if not await self._own(stop):
                    forget_gauges()
                    self.moved()
                    await pause(stop, self._settings.lease_renew_ms / 1000)
            except Fenced as error:
                count("fenced_writers", process=self._name)
                log.warning("another one took over: standing by", reason=str(error))
            except Exception as error:
                self._require_passing(error)
                self._wait.begins(error)
                count("retries", process=self._name)
                if self._moved_at != moved_at:
                    wait_ms = self._settings.retry_wait_min_ms
                await pause(stop, wait_ms / 1000)
                wait_ms = min(2 * wait_ms, self._settings.retry_wait_max_ms)

    def _require_passing(self, error: Exception) -> None:
        """Raise what a user can mend as it is; a bug ends the process, with its trace in the log."""
        if is_transient(error) or isinstance(error, self._passing):
            return
        if isinstance(error, YesserError):
            raise error
        log.exception("an unknown error ends the process")
        raise SystemExit(os.EX_SOFTWARE) from None

    async def _own(self, stop: asyncio.Event) -> bool:
        """Work if the lease is free; False when another one has it."""
        keeper = await self._post.open(f"{self._name} lease")
        try:
            epoch = await lease.claim(keeper, self._name, self._owner, self._settings, table=self._post.table)
            if epoch is None:
                return False
            self.epoch = epoch
            try:
                await until_one_ends(self._keep(keeper, epoch), self._work(epoch), stop.wait())
            finally:
                self.epoch = None
                with suppress(*TRANSIENT_ERRORS):
                    await lease.release(keeper, self._name, epoch, table=self._post.table)
            return True
        finally:
            with suppress(*TRANSIENT_ERRORS):
                await keeper.close(timeout=1)

    async def _keep(self, keeper: Connection, epoch: int) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_renew_ms / 1000)
            if not await lease.renew(keeper, self._name, epoch, self._settings, table=self._post.table):
                raise Fenced(f"epoch {epoch} of the {self._name} was superseded")
