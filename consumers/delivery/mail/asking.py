"""Letters that ask the reader of an address to confirm it: few, so that nobody uses them to write to strangers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from consumers.delivery.delivery_lease import hold
from consumers.delivery.recipients import SQL as RECIPIENTS
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

KIND: Final = "confirm-address"
TEAM_LETTERS_A_DAY: Final = 9
"""As many as a team has contacts."""
AGENCY_LETTERS_A_DAY: Final = 30
LINK_VALID: Final = timedelta(days=7)

_SQL: Final = queries("consumers.delivery.mail", "asking.sql")


async def ask(connection: Connection, epoch: int, now: datetime) -> None:
    """Make the letters that are due. An address is asked again when its team saves it again. Raises `Fenced`."""
    async with connection.transaction():
        await hold(connection, epoch)
        await connection.execute(RECIPIENTS["adopt"], None, None)
        while await connection.fetchval(_SQL["ask"], now, TEAM_LETTERS_A_DAY, AGENCY_LETTERS_A_DAY, KIND) is not None:
            pass


def recipient_asked(event_id: str) -> int:
    """The recipient that a letter asks, by the id that `ask` gave it: `confirm.RECIPIENT.NUMBER`."""
    return int(event_id.split(".")[1])
