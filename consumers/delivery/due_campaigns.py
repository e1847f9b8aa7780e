"""The campaigns of a team with their due dates, for its digest and its calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from consumers.documents.campaigns.campaigns import CHANNELS
from events.errors import YesserError
from events.values.bilingual import Language
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

ROWS_MAX: Final = 5_000

_SQL: Final = queries("consumers.delivery", "due_campaigns.sql")


class NoTeam(YesserError):
    """The agency has no open team with this name: see `yesser teams list`."""


@dataclass(frozen=True, slots=True)
class Team:
    """A team that is not closed. `language` comes first in what it gets."""

    agency: str
    team: str
    name: dict[str, str]
    language: str

    @property
    def languages(self) -> tuple[Language, Language]:
        """Both, that of the team first."""
        return ("en", "ar") if self.language == "en" else ("ar", "en")


@dataclass(frozen=True, slots=True)
class DueCampaign:
    """A campaign as a team sees it. `service_name` is that of its service, if it has one that is registered.

    `last_index` = the newest entry about it or its service.
    """

    campaign_id: str
    due_on: str
    brief: dict[str, str]
    service_name: dict[str, str] | None
    last_index: int
    acknowledged_by: str | None
    is_completed: bool
    is_paused: bool
    is_retired: bool
    aired: dict[str, int]
    """Number of airings on each of its channels."""

    @property
    def missing(self) -> list[str]:
        """Its channels without an airing."""
        return [channel for channel, count in self.aired.items() if count == 0]


async def team_of(connection: Connection, agency: str, team: str) -> Team:
    """Raises `NoTeam`."""
    row = await connection.fetchrow(_SQL["team"], agency, team)
    if row is None:
        raise NoTeam(f"{agency} has no open team {team}: see `yesser teams list`.")
    return Team(**dict(row))


async def due_campaigns(
    connection: Connection, team: Team, *, route: str | None = None, completed_since: str = "9999-12-31"
) -> list[DueCampaign]:
    """The team's campaigns by due date: those that are not completed, and completed ones due since a date."""
    rows = await connection.fetch(_SQL["of_team"], team.agency, team.team, route, completed_since, ROWS_MAX)
    return [_campaign(row) for row in rows]


def _campaign(row: Mapping[str, Any]) -> DueCampaign:
    values = dict(row)
    channels, counts = values.pop("channels"), {channel: values.pop(channel) for channel in CHANNELS}
    return DueCampaign(**values, aired={channel: count for channel, count in counts.items() if channel in channels})
