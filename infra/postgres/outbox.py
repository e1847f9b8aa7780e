"""The platform's outbox: its own events, written in the transaction of their cause.

A row holds the final bytes: the relay adds nothing. Sending a row twice is harmless: the registrar drops duplicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from events.wire.codec import build_event
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

PLATFORM: Final = "platform"
_SQL: Final = queries("infra.postgres", "outbox.sql")


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """An event of agency `platform`. `time` is the recorded time of its cause, not the clock's."""

    id: str
    type: str
    subject: str
    data: dict[str, Any]
    time: str
    cause_index: int | None


def event_bytes(event: OutboxEvent) -> bytes:
    """The final bytes (RFC 8785)."""
    return build_event(
        type=event.type, agency=PLATFORM, id=event.id, subject=event.subject, time=event.time, data=event.data
    )


async def write(connection: Connection, events: Sequence[OutboxEvent]) -> None:
    """Insert rows in the caller's transaction."""
    if events:
        await connection.execute(
            _SQL["write"],
            [e.id for e in events],
            [e.subject for e in events],
            [event_bytes(e) for e in events],
            [e.cause_index for e in events],
        )
