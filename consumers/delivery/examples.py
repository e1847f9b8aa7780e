"""The event that a test of a webhook sends: the golden example of `campaign.triggered` under an id of its own.

It is no entry of the log. Its id, and the campaign's, begin with `example.`, which no campaign's does.
"""

from __future__ import annotations

from typing import Final

import orjson

from events.schema_tools.refusal_examples import golden_example
from events.wire.codec import canonical_bytes

EXAMPLE: Final = "campaign.triggered"
KIND: Final = "example"
"""The kind of its message."""


def example_event(event_id: str) -> bytes:
    """The CloudEvent, by the codec that writes the platform's own events."""
    event = orjson.loads(golden_example(EXAMPLE))
    data = {**event["data"], "campaign_id": event_id}
    return canonical_bytes({**event, "id": event_id, "subject": f"campaign/{event_id}", "data": data})
