"""The first two entries of every log: the platform itself (index 0) and the programme office (index 1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from infra.postgres.connection import Connection, connected
from infra.settings import Settings
from producers.agencies.lifecycle import Clock
from producers.agencies.register import NewAgency, provision, register

PLATFORM: Final = NewAgency("platform", "platform", "منصة أحداث يسر", "Yesser Events platform")
OFFICE: Final = NewAgency(
    "yesser",
    role="office",
    name_ar="برنامج التعاملات الإلكترونية الحكومية «يسر»",
    name_en="Yesser, the e-Government Programme",
)


async def genesis(connection: Connection, clock: Clock) -> bool:
    """Put the two registrations into the outbox, in this order, once; returns whether this call did it."""
    async with connection.transaction():
        first = await register(connection, PLATFORM, clock)
        second = await register(connection, OFFICE, clock)
    return first or second


async def prepare(settings: Settings) -> None:
    """Create what the processes need before they start: the office's Kafka access, and the two registrations.

    Needs migrated tables and prepared users. Repeating it changes nothing.
    """
    settings = settings.acting_as("administrator")
    await provision(settings, [OFFICE.code])
    async with connected(settings, "genesis", batch=True) as connection:
        await genesis(connection, lambda: datetime.now(UTC))
