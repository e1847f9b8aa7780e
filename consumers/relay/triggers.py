"""Sends each entry `campaign.triggered` to the common topic of campaign triggers, in log order.

Flows in: the rows that the campaigns consumer stores for entries about campaigns. Flows out: the entry's event,
verbatim, with the campaign's id as key. A trigger that is not in the log has no row and is not sent; a rebuild
recreates the rows but not the relay's position.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg

from consumers.relay.sending import Message
from events.wire.codec import STRUCTURED_HEADERS
from infra.log.bundle import event_of
from infra.log.reader import chosen_entries
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.settings import Settings

ROUTE: Final = "campaign-triggers"
"""The name of the position of the common topic; that of an agency's topic ends in `.` and its code."""
CHANNEL: Final = "yesser_campaigns"
"""NOTIFY: entries about campaigns were applied."""
ROWS_MISSING: Final = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)
"""The campaigns consumer has not run yet, or not in this release: it rebuilds rows of an earlier one."""
_SQL: Final = queries("consumers.relay", "triggers.sql")


class CampaignTriggers:
    """The source of campaign triggers: sent at least once, always with the same id."""

    channel: Final = CHANNEL

    def __init__(self, settings: Settings) -> None:
        self.topic = settings.triggers_topic

    async def unsent(self, connection: Connection, limit: int) -> list[Message]:
        """Triggers in the log that the topic has not acknowledged."""
        try:
            rows = await connection.fetch(_SQL["next"], ROUTE, limit)
        except ROWS_MISSING:
            return []
        return await messages_of(connection, [(index, campaign_id) for index, campaign_id in rows])

    async def sent(self, connection: Connection, messages: Sequence[Message], epoch: int) -> None:
        """Move the position, under the epoch."""
        await move(connection, ROUTE, messages[-1].position + 1, epoch)


async def messages_of(connection: Connection, entries: Sequence[tuple[int, str]]) -> list[Message]:
    """The messages of entries, given in log order with the ids of their campaigns: events verbatim. Raises
    `ChangedEntry`."""
    raw = chosen_entries(connection, [index for index, _ in entries])
    events = {index: event_of(entry) async for index, entry in raw}
    return [
        Message(index, campaign_id.encode(), events[index], (*STRUCTURED_HEADERS, ("index", b"%d" % index)))
        for index, campaign_id in entries
    ]


async def move(connection: Connection, route: str, next_index: int, epoch: int) -> None:
    """Move the position of a route forward; without effect if the relay of `epoch` was superseded."""
    await connection.execute(_SQL["sent"], route, next_index, epoch)


async def triggers_waiting(connection: Connection) -> int:
    """The number of triggers in the log that the common topic has not acknowledged."""
    try:
        number: int = await connection.fetchval(_SQL["waiting"], ROUTE)
    except ROWS_MISSING:
        return 0
    return number
