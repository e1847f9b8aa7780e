"""Reads the campaigns consumer's tables, in the shapes of events.md §5. `search_path` selects the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.postgres.connection import Connection
from infra.postgres.sql import queries

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


async def campaigns(connection: Connection, after: str = "", rows_max: int | None = None) -> list[dict[str, Any]]:
    """The rows of `yesser campaigns list`, by id, from the one after `after`."""
    return [_row(row) for row in await connection.fetch(_SQL["campaigns"], after, rows_max, None)]


async def campaign(connection: Connection, campaign_id: str) -> dict[str, Any] | None:
    """A campaign with its brief, its reason and its airings, or None."""
    row = await connection.fetchrow(_SQL["campaigns"], "", 1, campaign_id)
    decision = await connection.fetchrow(_SQL["decision"], campaign_id)
    if row is None or decision is None:
        return None
    airings = [dict(airing) for airing in await connection.fetch(_SQL["airings"], campaign_id)]
    return {**_row(row), **dict(decision), "airings": airings}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in _COPIED},
        "aired": {channel: row[channel] for channel in CHANNELS},
        "reach": int(row["reach"]),
    }
