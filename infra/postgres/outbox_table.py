"""Writes the platform's outbox, in the transaction of the cause of its events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from infra.postgres.connection import Connection
from infra.postgres.outbox import OutboxEvent, event_bytes
from infra.postgres.sql import queries

_SQL: Final = queries("infra.postgres", "outbox.sql")


async def write(connection: Connection, events: Sequence[OutboxEvent]) -> None:
    """Insert rows in the caller's transaction."""
    if events:
        await connection.execute(
            _SQL["write"],
            [e.id for e in events],
            [e.type for e in events],
            [e.subject for e in events],
            [event_bytes(e) for e in events],
            [e.cause_index for e in events],
        )
