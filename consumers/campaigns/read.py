"""Reads the campaigns consumer's tables, in the shapes of events.md §5. `search_path` selects the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from consumers.as_of.view import View
from consumers.campaigns.consumer import CONSUMER
from consumers.campaigns.filters import CampaignFilter
from consumers.documents.document import document_of
from consumers.documents.plan import Aired, Awareness
from events.values.calendar import FIRST_DATE, LAST_DATE, hijri_of
from events.wire.entry import Entry, parse_entry
from infra.log.reader import read_entries
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.campaigns", "read.sql")
_COUNTS: Final = _SQL["counts"].replace(":campaigns", _SQL["campaigns"])
CHANNELS: Final = ("tv", "radio", "print")
HISTORY_MAX: Final = 1_000
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
_DECIDED: Final = (
    "rules_version",
    "brief",
    "reason",
    "urgency",
    "triggered_index",
    "acknowledged_index",
    "acknowledged_by",
    "acknowledged_at",
    "completed_index",
)
_REPORTED: Final = ("by", "airing_id", "channel", "reach")
"""What a step of the history shows of a team's event."""

Row = Mapping[str, Any]


async def awareness(connection: Connection) -> Awareness:
    """The `awareness` of `yesser plan`."""
    row = await connection.fetchrow(_SQL["awareness"])
    if row is None:
        raise LookupError("a count without a row")
    return Awareness(
        launched_services=row["launched_services"],
        aired=document_of(Aired, row),
        on_all_three=row["on_all_three"],
        general_campaigns=row["general_campaigns"],
        reach=int(row["reach"]),
    )


async def campaigns(connection: Connection, chosen: CampaignFilter) -> list[dict[str, Any]]:
    """The rows of `yesser campaigns list`."""
    return [_row(row) for row in await connection.fetch(_SQL["campaigns"], None, *chosen.arguments())]


async def inbox(connection: Connection, chosen: CampaignFilter) -> list[dict[str, Any]]:
    """The rows of `yesser campaigns inbox`: what a team needs to know to act."""
    rows = await connection.fetch(_SQL["campaigns"], None, *chosen.arguments())
    return [
        {
            **_row(row),
            "due_on_hijri": hijri(row["due_on"]),
            "overdue": row["overdue"],
            "missing_channels": missing_channels(row),
            "next_action": next_action(row),
            "acknowledged_index": row["acknowledged_index"],
            "acknowledged_by": row["acknowledged_by"],
            "acknowledged_at": row["acknowledged_at"],
            "brief": row["brief"],
            "service": _service(row),
        }
        for row in rows
    ]


async def counts(connection: Connection, chosen: CampaignFilter) -> dict[str, int]:
    """How many campaigns match, how many of them are overdue or paused, and how many wait for each next step."""
    row = await connection.fetchrow(_COUNTS, None, *chosen.arguments())
    if row is None:
        raise LookupError("a count without a row")
    return dict(row)


async def team_subscriptions(connection: Connection, agency: str, team: str) -> list[dict[str, Any]] | None:
    """What the team wants; None if the agency has no such team."""
    if await connection.fetchval(_SQL["team"], agency, team) is None:
        return None
    return [dict(row) for row in await connection.fetch(_SQL["subscriptions"], agency, team)]


async def campaign(view: View, campaign_id: str) -> dict[str, Any] | None:
    """A campaign with its service, brief, reason, airings and history, or None. The view shows `CONSUMER`."""
    connection = await view.use(CONSUMER)
    row = await connection.fetchrow(_SQL["campaigns"], campaign_id, *CampaignFilter("").arguments())
    if row is None:
        return None
    airings = [dict(airing) for airing in await connection.fetch(_SQL["airings"], campaign_id)]
    history, is_whole = await _history(connection, row)
    return {
        **_row(row),
        "due_on_hijri": hijri(row["due_on"]),
        "missing_channels": missing_channels(row),
        "next_action": next_action(row),
        **{name: row[name] for name in _DECIDED},
        "service": _service(row),
        "airings": airings,
        "history": history,
        "more_history": not is_whole,
    }


def hijri(on: str) -> str | None:
    """The Umm al-Qura date, or None outside its table."""
    return hijri_of(on) if FIRST_DATE <= on <= LAST_DATE else None


def missing_channels(row: Row) -> list[str]:
    """The channels of the campaign that have no airing yet."""
    return [channel for channel in row["channels"] if row[channel] == 0]


def next_action(row: Row) -> Literal["acknowledge", "air", "complete"] | None:
    """What its team does next; None for a campaign that is completed or paused."""
    if row["paused"] or row["state"] == "completed":
        return None
    if row["state"] == "triggered":
        return "acknowledge"
    return "air" if missing_channels(row) else "complete"


def shown_history(took_effect: Sequence[int], anomalies: Iterable[int]) -> list[int]:
    """The entries that a history shows, in log order: those that took effect, and the newest of the others while there
    is room. Otherwise any agency could crowd out what happened by events that change nothing."""
    left = max(0, HISTORY_MAX - len(took_effect))
    return sorted([*took_effect, *sorted(anomalies, reverse=True)[:left]])


async def _history(connection: Connection, row: Row) -> tuple[list[dict[str, Any]], bool]:
    """The entries about the campaign, in log order, and whether these are all. One that changed nothing names its
    anomaly rule."""
    most = HISTORY_MAX + 1
    took_effect = [index for (index,) in await connection.fetch(_SQL["took_effect"], row["campaign_id"], most)]
    found = await connection.fetch(_SQL["anomalies_of"], f"campaign/{row['campaign_id']}", most)
    anomalies = {anomaly["index"]: anomaly["rule"] for anomaly in found}
    shown = shown_history(took_effect[:HISTORY_MAX], anomalies)
    steps = []
    for index in shown:
        (raw,) = await read_entries(connection, index, 1)
        steps.append(_step(parse_entry(index, raw), anomalies.get(index), row["owner"]))
    return steps, len(shown) == len(took_effect) + len(anomalies)


def _step(entry: Entry, anomaly: str | None, owner: str) -> dict[str, Any]:
    shown = entry.data if entry.agency == owner else {}
    return {
        "index": entry.index,
        "recorded": entry.recorded,
        "type": entry.type,
        "agency": entry.agency,
        **{name: shown.get(name) for name in _REPORTED},
        "anomaly": anomaly,
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        **{name: row[name] for name in _COPIED},
        "aired": {channel: row[channel] for channel in CHANNELS},
        "reach": int(row["reach"]),
    }


def _service(row: Row) -> dict[str, Any] | None:
    """The service of a specific campaign, as far as it is registered."""
    if row["service_name"] is None:
        return None
    return {
        "service_id": row["service_id"],
        "name": row["service_name"],
        "url": row["service_url"],
        "launched_on": row["service_launched_on"],
        "channels": row["service_channels"],
    }
