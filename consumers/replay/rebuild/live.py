"""The live side of a rebuild: its position, its rules, and how a scratch follows it."""

from __future__ import annotations

from typing import Final

from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.replay import Progress, Scratch, replay
from consumers.replay.fold.version import StoredRules
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.settings import Settings

CATCH_UPS_MAX: Final = 5
"""Times that the replay catches up with a moving live position."""
_SQL: Final = queries("consumers.replay.rebuild", "live.sql")


async def position_of(connection: Connection, consumer: Consumer) -> int:
    """The position of the live tables: 0 for a consumer that never ran."""
    return await connection.fetchval(_SQL["position"], consumer.name) or 0


async def kept_rules(connection: Connection, consumer: Consumer) -> StoredRules:
    """The rules that made the live rows."""
    rules: StoredRules | None = await connection.fetchval(_SQL["rules"], consumer.name)
    return rules or {}


async def catch_up(settings: Settings, scratch: Scratch, progress: Progress, missing_max: int) -> None:
    """Replay until at most `missing_max` entries are missing, at most `CATCH_UPS_MAX` times."""
    for _ in range(CATCH_UPS_MAX):
        position = await position_of(scratch.connection, scratch.consumer)
        await replay(settings, [scratch], position, progress)
        if await position_of(scratch.connection, scratch.consumer) - position <= missing_max:
            return
