"""A message of a webhook, and an endpoint that has some."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from consumers.delivery.webhooks.active import Active, Health, Message

MESSAGE = Message(
    message_id=1,
    endpoint_id="e1",
    kind="triggered",
    event_id="i1043",
    log_index=1043,
    campaign_id="quota-met.i5.gregorian-2026-usage",
    replay=False,
    attempts=0,
    created_at=datetime(2026, 11, 1, tzinfo=UTC),
)


def active(*, ready: int = 0, in_flight: int = 0) -> Active:
    found = Active("e1", "health", "press", "https://hooks.example/", ["whsec_"], None, None, Health())
    found.ready.extend((replace(MESSAGE, message_id=number), b"{}") for number in range(ready))
    found.in_flight.update(range(100, 100 + in_flight))
    return found
