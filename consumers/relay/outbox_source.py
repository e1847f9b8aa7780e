"""A source of messages for the relay: rows in PostgreSQL, sent to one topic in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from infra.postgres.connection import Connection

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One record to send. `position` orders the messages of a source and identifies them for `sent`."""

    position: int
    key: bytes
    value: bytes
    headers: Headers


class OutboxSource(Protocol):
    """A source and its topic. A message may be sent twice, but not out of order, and each must be sent."""

    @property
    def topic(self) -> str: ...

    @property
    def channel(self) -> str:
        """The NOTIFY channel that announces new messages."""

    async def unsent(self, connection: Connection, limit: int) -> list[Message]:
        """The next messages, in order."""

    async def sent(self, connection: Connection, messages: Sequence[Message], epoch: int) -> None:
        """Record that the topic has acknowledged these; without effect if the relay of `epoch` was superseded."""
