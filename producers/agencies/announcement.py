"""Events of the platform about an agency: validated before they enter the outbox, because a refused one is an alarm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from events.types.rules import Data
from events.wire.entry import recorded_time
from infra.postgres.outbox import OutboxEvent
from infra.postgres.outbox_table import require_accepted

Clock = Callable[[], datetime]


def announcement(kind: str, id: str, data: Data, clock: Clock) -> OutboxEvent:
    """The event `registry.KIND` of the agency `data["code"]`. Raises `NotAnnounced` for one that would be refused."""
    event = OutboxEvent(
        id=id,
        type=f"registry.{kind}",
        subject=f"agency/{data['code']}",
        data=data,
        time=recorded_time(clock()),
        cause_index=None,
    )
    require_accepted(event)
    return event
