"""What the CloudEvents project's own SDKs are given to send, and what must become of it: every golden example that an
agency may send, in every mode, under an id of its own."""

from __future__ import annotations

from typing import Any, Final

import orjson

from events.types.catalogue import may_send
from events.validation.forms import form_of
from tests.gateway_access import GatewayAccess
from tests.world.events import EXAMPLES

MODES: Final = ("structured", "binary", "batched")


def examples(agency: str) -> list[dict[str, Any]]:
    """The golden examples of types that an agency may send, as this one's own.

    An attribute that is null counts as absent, and is left out: a header of binary mode cannot be null.
    """
    found = [orjson.loads(path.read_bytes()) for path in sorted(EXAMPLES.glob("v*/*.json"))]
    return [
        {name: value for name, value in event.items() if value is not None} | {"source": f"urn:yesser:agency:{agency}"}
        for event in found
        if (row := form_of(event).row) is not None and may_send("agency", row)
    ]


def in_mode(events: list[dict[str, Any]], mode: str) -> list[dict[str, Any]]:
    """The events under ids of this mode's own."""
    return [event | {"id": f"{mode}.{place}.{event['id']}"} for place, event in enumerate(events)]


async def require_registered(access: GatewayAccess, events: list[dict[str, Any]]) -> None:
    """The log has exactly these events of the agency, in this order."""
    seen: list[tuple[str | None, str]] = []
    async with access.client() as client:
        async for verdict in client.receipts():
            seen.append((verdict.id, verdict.state))
            if len(seen) == len(events):
                break
    assert seen == [(event["id"], "registered") for event in events]
