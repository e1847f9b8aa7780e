"""Writes the platform's outbox, in the transaction of the cause of its events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from events.errors import YesserError
from events.validation.validate import validate
from events.validation.verdicts import Agency, Refused
from events.wire.codec import STRUCTURED_HEADERS
from infra.postgres.connection import Connection
from infra.postgres.outbox import PLATFORM, OutboxEvent, event_bytes
from infra.postgres.sql import queries

_SQL: Final = queries("infra.postgres", "outbox.sql")


class NotAnnounced(YesserError):
    """The registrar would refuse the event; the message lists the faults."""


def require_accepted(event: OutboxEvent) -> None:
    """Raise `NotAnnounced` for an event with words of a person that would be refused."""
    verdict = validate(event_bytes(event), STRUCTURED_HEADERS, Agency(PLATFORM, "platform"))
    if isinstance(verdict, Refused):
        raise NotAnnounced("; ".join(f"{fault.code} at {fault.pointer}: {fault.detail}" for fault in verdict.faults))


async def write(connection: Connection, events: Sequence[OutboxEvent], position: int | None = None) -> None:
    """Insert rows in the caller's transaction. `position`: how many entries the rows contain that they follow from."""
    if events:
        await connection.execute(
            _SQL["write"],
            [e.id for e in events],
            [e.type for e in events],
            [e.subject for e in events],
            [event_bytes(e) for e in events],
            [e.cause_index for e in events],
            position,
        )
