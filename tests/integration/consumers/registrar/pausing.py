"""Topics that are soon paused."""

from __future__ import annotations

from datetime import datetime

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.waits import until

IN_A_ROW = 5
CONFLICTS = 20
DUPLICATES = 40
FOUNDED = 4
"""Entries that register the platform, its office and two agencies."""


def impatient(settings: Settings, wait_s: float) -> Settings:
    return settings.model_copy(
        update={
            "breaker_refused_in_a_row_max": IN_A_ROW,
            "breaker_conflicts_in_a_row_max": CONFLICTS,
            "breaker_duplicates_in_a_row_max": DUPLICATES,
            "breaker_wait_s": wait_s,
            "breaker_wait_max_s": wait_s,
            "agencies_poll_ms": 200,
        }
    )


async def pause_of(connection: Connection, topic: str) -> datetime | None:
    until_: datetime | None = await connection.fetchval(
        "SELECT paused_until FROM log.read_position WHERE topic = $1", topic
    )
    return until_


async def until_paused(connection: Connection, topic: str, paused: bool = True) -> None:
    query = "SELECT (paused_until IS NOT NULL) = $2 FROM log.read_position WHERE topic = $1"
    what = f"{topic} is {'paused' if paused else 'read as usual'}"
    await until(lambda: connection.fetchval(query, topic, paused), what)
