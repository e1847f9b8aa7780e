"""`/v1/teams/{team}/calendar.ics` with a token, `/calendars/due.ics?feed=…` for calendar programs.

The secret is a parameter and not part of the path: a failed request is logged with its path alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response

from consumers.api.access import programme_scope
from consumers.delivery.calendar.addresses import FEED_PATTERN, PATH, team_of_secret
from consumers.delivery.calendar.feed import CONTENT_TYPE, PAST_DAYS, calendar_of
from consumers.delivery.due_campaigns import NoTeam, Team, due_campaigns, team_of
from infra.http.documents import answer, problems
from infra.http.problems import Problem
from infra.http.routes import RouteParts
from infra.postgres.connection import Connection
from infra.settings import Settings

_HEADERS: Final = {"Cache-Control": "private, max-age=300", "X-Content-Type-Options": "nosniff"}
_CALENDAR: Final = answer("An iCalendar feed (RFC 5545).", {"type": "string"}, CONTENT_TYPE)

TeamName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Secret = Annotated[str, Query(pattern=FEED_PATTERN, description="As `yesser teams calendar-address` showed it.")]


def router(parts: RouteParts) -> APIRouter:
    """Both routes; the gateway loads them by the entry point `yesser.routes`."""
    routes = APIRouter(tags=["calendar"], default_response_class=Response)

    @routes.get(
        "/v1/teams/{team}/calendar.ics",
        summary="A team's due dates as a calendar",
        responses={200: _CALENDAR, **problems(400, 401, 403, 404, 422, 429, 503)},
    )
    async def with_token(request: Request, team: TeamName) -> Response:
        """The due dates of a team of your agency."""
        caller = await parts.caller(request)
        programme_scope(caller)
        agency = caller.require_agency().code
        return await _calendar(parts, lambda connection: team_of(connection, agency, team))

    @routes.get(
        PATH,
        summary="A team's due dates for a calendar program",
        responses={200: _CALENDAR, **problems(400, 404, 422, 429, 503)},
    )
    async def with_secret(feed: Secret) -> Response:
        """The secret stands for a token: anyone who has the address can read the due dates, and nothing else."""
        return await _calendar(parts, lambda connection: team_of_secret(connection, feed))

    return routes


async def calendar_now(connection: Connection, team: Team, settings: Settings, now: datetime) -> bytes:
    """The feed as it is now, with campaigns that were completed recently."""
    since = (now - timedelta(days=PAST_DAYS)).date().isoformat()
    campaigns = await due_campaigns(connection, team, completed_since=since)
    return calendar_of(team, campaigns, settings.log_origin, now, settings.mailed_console)


async def _calendar(parts: RouteParts, find: Callable[[Connection], Awaitable[Team]]) -> Response:
    async with parts.connection() as connection:
        try:
            team = await find(connection)
        except NoTeam:
            raise Problem("not-found") from None
        content = await calendar_now(connection, team, parts.settings, datetime.now(UTC))
    return Response(content, headers=_HEADERS, media_type=CONTENT_TYPE)
