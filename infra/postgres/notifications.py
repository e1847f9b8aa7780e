"""NOTIFY wakes the waiting tasks of a process. One connection listens for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import structlog

from infra.postgres.connection import TRANSIENT_ERRORS, connect
from infra.settings import Settings

VERDICTS: Final = "yesser_verdicts"
"""The channel on which each move of a topic's read position is announced; the payload is the topic's name."""
RECONNECT_S: Final = 1.0
_CLOSE_WAIT_S: Final = 1.0

_logger = structlog.get_logger(__name__)


class Notifications:
    """The notifications of one channel, by payload."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._waiting: dict[str, set[asyncio.Event]] = {}

    @contextmanager
    def waiting(self, payload: str) -> Iterator[asyncio.Event]:
        """An event that each notification with this payload sets.

        Notifications are lost while the connection is. The event is therefore also set whenever listening begins: what
        is waited for must be looked at again whenever the event is set.
        """
        event = asyncio.Event()
        events = self._waiting.setdefault(payload, set())
        events.add(event)
        try:
            yield event
        finally:
            events.discard(event)
            if not events:
                self._waiting.pop(payload, None)

    async def run(self, settings: Settings, application: str) -> None:
        """Listen, and connect again after each lost connection. Never returns."""
        while True:
            try:
                await self._listen(settings, application)
                _logger.warning("the connection for notifications was lost", channel=self._channel)
            except TRANSIENT_ERRORS as error:
                _logger.warning("no connection for notifications", error_class=type(error).__name__)
            await asyncio.sleep(RECONNECT_S)

    def wake_all(self) -> None:
        """Set every event."""
        for payload in self._waiting:
            self._wake(payload)

    async def _listen(self, settings: Settings, application: str) -> None:
        """Until the connection is lost, which TCP keepalive detects within twenty seconds."""
        connection = await connect(settings, application)
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(self._channel, self._notified)
            self.wake_all()
            await lost.wait()
        finally:
            with suppress(*TRANSIENT_ERRORS):
                await connection.close(timeout=_CLOSE_WAIT_S)

    def _notified(self, connection: Any, sender: int, channel: str, payload: object) -> None:
        self._wake(str(payload))

    def _wake(self, payload: str) -> None:
        for event in self._waiting.get(payload, ()):
            event.set()
