"""Coverage of launched services: airings, reach, and days from launch to the first airing, by channel and agency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from msgspec import structs

from consumers.documents.campaigns import campaigns as documents
from consumers.documents.campaigns.campaigns import CHANNELS
from consumers.documents.document import document_of, documents_of
from consumers.programme.campaigns.consumer import CONSUMER
from consumers.replay.as_of.point_in_time import PointInTime
from consumers.replay.as_of.view import View, view
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.settings import Settings

_SQL: Final = queries("consumers.programme.campaigns.coverage", "read.sql")
_PARTS: Final = {
    "services": documents.ServiceCoverage,
    "agencies": documents.AgencyCoverage,
    "total": documents.CoverageTotal,
}
_JUDGED: Final = frozenset(
    {"service_id", "name", "agency", "plan_id", "group", "launched_on", "launched_index", "launched_services"}
)
NOT_JUDGED_FIGURES: Final = tuple(
    f"{part}.{name}" for part, row in _PARTS.items() for name in row.__struct_fields__ if name not in _JUDGED
)
"""Figures of which the events that occurred by a date say nothing, since campaigns count from their due date on."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CoverageFilter:
    """Launched services of an agency, after the id `after`. `unaired`: only those that lack an airing on a channel."""

    agency: str | None = None
    unaired: bool = False
    after: str = ""
    rows_max: int | None = None


async def coverage_at(settings: Settings, agency: str | None, at: PointInTime, *, unaired: bool) -> documents.Coverage:
    """Of an agency's services or all, now or in the past."""
    async with view(settings, [CONSUMER], at) as state:
        document = await coverage(state, CoverageFilter(agency, unaired))
    return document if at.occurred is None else structs.replace(document, not_judged=NOT_JUDGED_FIGURES)


async def coverage(shown: View, chosen: CoverageFilter) -> documents.Coverage:
    """The services that match, by id, and the totals of all launched services by agency. The view shows `CONSUMER`."""
    connection = await shown.use(CONSUMER)
    *agencies, total = [_total(row) for row in await connection.fetch(_SQL["totals"], chosen.agency)]
    return documents.Coverage(
        log_index=shown.log_index,
        services=tuple(await services(connection, chosen)),
        agencies=tuple(documents_of(documents.AgencyCoverage, agencies)),
        total=document_of(documents.CoverageTotal, {name: value for name, value in total.items() if name != "agency"}),
    )


async def services(connection: Connection, chosen: CoverageFilter) -> list[documents.ServiceCoverage]:
    """The coverage of each service, by id."""
    given = (chosen.agency, chosen.after, chosen.rows_max, chosen.unaired)
    rows = await connection.fetch(_SQL["services"], *given)
    aired: dict[str, dict[str, Row]] = {row["service_id"]: {} for row in rows}
    for airing in await connection.fetch(_SQL["airings"], list(aired)):
        aired[airing["service_id"]][airing["channel"]] = airing
    return [_service(row, aired[row["service_id"]]) for row in rows]


def _service(row: Row, aired: Mapping[str, Row]) -> documents.ServiceCoverage:
    channels = {channel: _channel(row, channel, aired.get(channel)) for channel in CHANNELS}
    first = min((one.first_aired_on for one in channels.values() if one.first_aired_on is not None), default=None)
    return document_of(
        documents.ServiceCoverage,
        row,
        channels=channels,
        airings=sum(channel.airings for channel in channels.values()),
        reach=sum(channel.reach for channel in channels.values()),
        first_aired_on=first,
        days_to_first_airing=days_between(row["launched_on"], first),
        missing_channels=[name for name, channel in channels.items() if channel.airings == 0],
        silent=first is None,
    )


def _channel(row: Row, channel: str, aired: Row | None) -> documents.ChannelCoverage:
    first = None if aired is None else aired["first_aired_on"]
    return documents.ChannelCoverage(
        airings=row[channel],
        reach=0 if aired is None else int(aired["reach"]),
        first_aired_on=first,
        days_to_first_airing=days_between(row["launched_on"], first),
    )


def days_between(launched_on: str | None, aired_on: str | None) -> int | None:
    """Days from the launch to an airing, by the dates that the agency gave: negative where it aired before.

    None where one of them is not known.
    """
    if launched_on is None or aired_on is None:
        return None
    return (date.fromisoformat(aired_on) - date.fromisoformat(launched_on)).days


def _total(row: Row) -> Row:
    return {**row, "reach": int(row["reach"]), "aired": {channel: row[channel] for channel in CHANNELS}}
