"""Asking a database that may be away for a while: the question is put again until it is answered or the time is over.

For whoever only reads and waits (a command), never for a writer.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self, TypeVar

from events.errors import Retry
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connect
from infra.process.backoff import backoff_s
from infra.settings import Settings

Answer = TypeVar("Answer")

_WAIT_MIN_S: Final = 0.01
_WAIT_MAX_S: Final = 0.25


class WaitTimedOut(Retry):
    """The time is over, and what was waited for has not come."""


class PatientConnection:
    """A connection that is opened again whenever it is lost; an asynchronous context manager.

    `timeout_s` counts from here over all questions and pauses; None waits for ever.
    """

    def __init__(self, settings: Settings, application: str, timeout_s: float | None) -> None:
        self._settings = settings
        self._application = application
        self._deadline = float("inf") if timeout_s is None else time.monotonic() + timeout_s
        self._connection: Connection | None = None
        self._pauses = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._drop()

    async def ask(self, question: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        """The answer to a question that only reads. Raises `WaitTimedOut`."""
        while True:
            try:
                if self._connection is None:
                    self._connection = await connect(self._settings, self._application)
                return await question(self._connection)
            except TRANSIENT_ERRORS as error:
                await self._drop()
                await self.pause(because=error)

    async def pause(self, because: BaseException | None = None) -> None:
        """Wait before looking again, longer each time. Raises `WaitTimedOut` once the time is over."""
        if time.monotonic() >= self._deadline:
            raise WaitTimedOut from because
        self._pauses += 1
        wait_s = backoff_s(self._pauses, random.random(), _WAIT_MIN_S, _WAIT_MAX_S)
        await asyncio.sleep(min(wait_s, max(0.0, self._deadline - time.monotonic())))

    def hurry(self) -> None:
        """Something has moved: look again soon."""
        self._pauses = 0

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*TRANSIENT_ERRORS):
                await connection.close(timeout=1)
