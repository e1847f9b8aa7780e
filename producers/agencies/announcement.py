"""Events of the platform about an agency: validated before they enter the outbox, because a refused one is an alarm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from events.errors import YesserError
from events.validation.validate import validate
from events.validation.verdicts import Agency, Refused
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.entry import recorded_time
from infra.postgres.outbox import PLATFORM, OutboxEvent, event_bytes

Clock = Callable[[], datetime]


class NotAnnounced(YesserError):
    """The registrar would refuse the event; the message lists the faults."""


def announcement(kind: str, id: str, data: dict[str, Any], clock: Clock) -> OutboxEvent:
    """The event `registry.KIND` of the agency `data["code"]`. Raises `NotAnnounced` for one that would be refused."""
    event = OutboxEvent(
        id=id,
        type=f"registry.{kind}",
        subject=f"agency/{data['code']}",
        data=data,
        time=recorded_time(clock()),
        cause_index=None,
    )
    verdict = validate(event_bytes(event), STRUCTURED_HEADERS, Agency(PLATFORM, "platform"))
    if isinstance(verdict, Refused):
        faults = "; ".join(f"{fault.code} at {fault.pointer}: {fault.detail}" for fault in verdict.faults)
        raise NotAnnounced(faults)
    return event
