"""An agency's own change and its event, in one transaction: both are there, or neither."""

import asyncpg

from events.types.services import ServiceLaunched
from producers.outbox import outbox
from producers.sdk.typed_events import typed_event


async def launch(connection: asyncpg.Connection, service_id: str, on: str) -> None:
    async with connection.transaction():
        await connection.execute("UPDATE service SET launched_on = $2 WHERE id = $1", service_id, on)
        launched = ServiceLaunched(service_id=service_id, on=on, channels=["web"])
        event = typed_event("health", launched, f"launch-{service_id}", f"{on}T09:00:00+03:00")
        await outbox.add(connection, event)
