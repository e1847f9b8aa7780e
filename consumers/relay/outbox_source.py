"""What a relay sends, in order: rows that wait in PostgreSQL, a topic that takes them, and what to do once it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from infra.postgres.connection import Connection

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One record to send. `place` orders the messages of a lane and names them to `sent`."""

    place: int
    key: bytes
    value: bytes
    headers: Headers


class OutboxSource(Protocol):
    """One source and its topic. Sending twice is harmless; sending out of order, or not at all, is not."""

    @property
    def topic(self) -> str: ...

    @property
    def channel(self) -> str | None:
        """The NOTIFY channel that says that something waits; None: the lane is only looked at."""

    async def waiting(self, connection: Connection, limit: int) -> list[Message]:
        """The next messages, in order."""

    async def sent(self, connection: Connection, messages: Sequence[Message], epoch: int) -> None:
        """The topic has acknowledged these; counts only for the relay of `epoch`."""
