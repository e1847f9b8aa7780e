"""Reading a database that may be unavailable: a query is repeated until it is answered or the time is over.

For commands that read and wait, never for a writer.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Self, TypeVar

from infra.clock import backoff_s
from infra.errors import WaitTimedOut
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connect
from infra.settings import Settings

Answer = TypeVar("Answer")

_WAIT_MIN_S: Final = 0.01
_WAIT_MAX_S: Final = 0.25


class PatientConnection:
    """A connection that is reopened when it is lost; an asynchronous context manager.

    `timeout_s` covers all queries and pauses from here on; None has no limit.
    """

    def __init__(self, settings: Settings, application: str, timeout_s: float | None) -> None:
        self._settings = settings
        self._application = application
        self._deadline = float("inf") if timeout_s is None else time.monotonic() + timeout_s
        self._connection: Connection | None = None
        self._pauses = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._drop()

    async def ask(self, question: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        """The result of a query that only reads. Raises `WaitTimedOut`."""
        while True:
            try:
                if self._connection is None:
                    self._connection = await connect(self._settings, self._application)
                return await question(self._connection)
            except TRANSIENT_ERRORS as error:
                await self._drop()
                await self.pause(because=error)

    async def pause(self, because: BaseException | None = None) -> None:
        """Wait before the next query, longer each time. Raises `WaitTimedOut` once the time is over."""
        if time.monotonic() >= self._deadline:
            raise WaitTimedOut from because
        self._pauses += 1
        wait_s = backoff_s(self._pauses, random.random(), _WAIT_MIN_S, _WAIT_MAX_S)  # noqa: S311 - spreads waits, no secret
        await asyncio.sleep(min(wait_s, max(0.0, self._deadline - time.monotonic())))

    def hurry(self) -> None:
        """Reset the pause, since there was progress."""
        self._pauses = 0

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*TRANSIENT_ERRORS):
                await connection.close(timeout=1)
