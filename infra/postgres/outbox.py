"""The platform's outbox: its own events, written in the transaction of their cause.

A row holds the final bytes: the relay adds nothing. Sending a row twice is harmless: the registrar drops duplicates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from events.wire.codec import build_event

PLATFORM: Final = "platform"


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
