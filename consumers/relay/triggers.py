"""Sends each entry `campaign.triggered` to the campaign teams' topic, in log order.

Flows in: the rows that the campaigns consumer stores for trigger entries. Flows out: the entry's event, verbatim, with
the campaign's id as key. A trigger that is not in the log has no row and is not sent; a rebuild recreates the rows but
not the relay's position.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg

from consumers.relay.outbox_source import Message
from events.wire.codec import STRUCTURED_HEADERS
from infra.log.reader import read_entries
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.settings import Settings

ROUTE: Final = "campaign-triggers"
_SQL: Final = queries("consumers.relay", "triggers.sql")
_EVENT: Final = b',"event":'


class CampaignTriggers:
    """The source of campaign triggers: sent at least once, always with the same id."""

    channel: Final = None

    def __init__(self, settings: Settings) -> None:
        self.topic = settings.triggers_topic

    async def unsent(self, connection: Connection, limit: int) -> list[Message]:
        """Triggers in the log that the topic has not acknowledged."""
        try:
            rows = await connection.fetch(_SQL["next"], ROUTE, limit)
        except asyncpg.UndefinedTableError:
            return []  # the campaigns consumer has not run yet
        messages = []
        for index, campaign_id in rows:
            (entry,) = await read_entries(connection, index, 1)
            headers = (*STRUCTURED_HEADERS, ("index", b"%d" % index))
            messages.append(Message(index, campaign_id.encode(), event_of(entry), headers))
        return messages

    async def sent(self, connection: Connection, messages: Sequence[Message], epoch: int) -> None:
        """Move the position, under the epoch."""
        await connection.execute(_SQL["sent"], ROUTE, messages[-1].position + 1, epoch)


def event_of(entry: bytes) -> bytes:
    """The bytes of the event within an entry's bytes."""
    return entry[entry.index(_EVENT) + len(_EVENT) : -1]


async def triggers_waiting(connection: Connection) -> int:
    """The number of triggers in the log that the topic has not acknowledged."""
    try:
        number: int = await connection.fetchval(_SQL["waiting"], ROUTE)
    except asyncpg.UndefinedTableError:
        return 0
    return number
