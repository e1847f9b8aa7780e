"""What the campaigns consumer's tables say, in the shapes of events.md §5. `search_path` decides which tables."""

from __future__ import annotations

from typing import Any, Final

from infra.postgres import Connection
from infra.sql import queries

_SQL: Final = queries("consumers.campaigns", "read.sql")
CHANNELS: Final = ("tv", "radio", "print")
_COPIED: Final = (
    "campaign_id",
    "rule",
    "kind",
    "cause_index",
    "owner",
    "service_id",
    "channels",
    "due_on",
    "state",
    "paused",
    "escalated",
)


async def awareness(connection: Connection) -> dict[str, Any]:
    """The `awareness` of `yesser plan`."""
    row = await connection.fetchrow(_SQL["awareness"])
    if row is None:
        raise LookupError("a count without a row")
    return {
        "launched_services": row["launched_services"],
        "aired": {channel: row[channel] for channel in CHANNELS},
        "on_all_three": row["on_all_three"],
        "general_campaigns": row["general_campaigns"],
        "reach": int(row["reach"]),
    }


async def campaigns(connection: Connection) -> list[dict[str, Any]]:
    """The rows of `yesser campaigns list`, by id."""
    return [
        {
            **{name: row[name] for name in _COPIED},
            "aired": {channel: row[channel] for channel in CHANNELS},
            "reach": int(row["reach"]),
        }
        for row in await connection.fetch(_SQL["campaigns"])
    ]
