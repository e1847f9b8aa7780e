"""Tries, as each database role, to put an event of each of the platform's types into the outbox; nothing stays."""

from __future__ import annotations

from typing import Final

import asyncpg

from events.types.catalogue import CATALOGUE
from infra.postgres import outbox_table
from infra.postgres.connection import Connection, connect
from infra.postgres.outbox import OutboxEvent
from infra.settings import Settings
from tests.integration.infra.postgres.tried_rights import LIMITED

PLATFORM_TYPES: Final = tuple(row.name for row in CATALOGUE.values() if row.sender == "platform")
Decided = dict[tuple[str, str], bool]
"""(principal, type) → whether it may decide such an event."""


def event_of(type_: str, id: str = "tried") -> OutboxEvent:
    return OutboxEvent(id, type_, "about/it", {"code": "health"}, "2026-11-25T08:00:00.000000Z", None)


async def tried_types(settings: Settings) -> Decided:
    """What each principal may put into the outbox, as PostgreSQL answered."""
    found = {}
    for principal in LIMITED:
        connection = await connect(settings.acting_as(principal), "outbox")
        try:
            for type_ in PLATFORM_TYPES:
                found[principal, type_] = await may_write(connection, event_of(type_))
        finally:
            await connection.close()
    return found


async def may_write(connection: Connection, event: OutboxEvent) -> bool:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await outbox_table.write(connection, [event])
    except asyncpg.InsufficientPrivilegeError:
        return False
    finally:
        await transaction.rollback()
    return True
