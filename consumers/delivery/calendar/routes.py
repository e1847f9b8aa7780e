"""A team's campaigns as iCalendar (RFC 5545): an all-day event on each due date, in both languages.
`/v1/teams/{team}/calendar.ics` with a token, `/calendars/due.ics?feed=…` for calendar programs.

The `UID` is the campaign's id and `SEQUENCE` the newest entry about it or its service, so that a calendar moves,
completes and cancels its own event. A calendar knows no *completed* event: the title says it. The secret is a parameter
and not part of the path: a failed request is logged with its path alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from icalendar import Calendar, Event
from msgspec import Struct

from consumers.api.access import programme_scope
from consumers.delivery.due_campaigns import DueCampaign, NoTeam, Team, due_campaigns, team_of
from consumers.delivery.plain_text import line, line_of, lines_of
from consumers.documents.campaigns.campaigns import CampaignState, InboxItem, channel_list
from consumers.documents.document import label_of
from consumers.programme.campaigns.dates import day_of_month, in_words
from events.values.bilingual import Bilingual, in_lines
from events.values.reading_order import text_of
from infra.http.documents import answer, problems
from infra.http.problems import Problem
from infra.http.routes import RouteParts
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.trail import Actor, add_to_trail
from infra.settings import Settings

CONTENT_TYPE: Final = "text/calendar; charset=utf-8"
REFRESH: Final = timedelta(hours=1)
PAST_DAYS: Final = 90
"""Completed campaigns stay for so long after their due date."""
SUMMARY_NAME_MAX: Final = 80
_PRODUCT: Final = "-//yesser-events//campaigns//AR"
FEED_PATTERN: Final = r"^[A-Za-z0-9_-]{43}$"
PATH: Final = "/calendars/due.ics"
_SECRET_BYTES: Final = 32
_SQL: Final = queries("consumers.delivery.calendar", "addresses.sql")
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


class CalendarAddress(Struct, frozen=True, kw_only=True):
    """The address of a team's calendar, which is shown once."""

    team: str
    address: str


async def new_address(
    connection: Connection, settings: Settings, agency: str, team: str, *, by: Actor | None = None
) -> str:
    """A new address; an earlier one of the team ends. `by`: None for the operator of a command. Raises `NoTeam`."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    async with connection.transaction():
        await team_of(connection, agency, team)
        await connection.execute(_SQL["revoke"], agency, team)
        await connection.execute(_SQL["add"], agency, team, _hash(secret))
        await add_to_trail(connection, "teams calendar-address", f"{agency}/{team}", by=by)
    return f"{settings.gateway_address}{PATH}?{urlencode({'feed': secret})}"


async def revoke_address(connection: Connection, agency: str, team: str, *, by: Actor | None = None) -> None:
    """The team's address ends, if it has one. Raises `NoTeam`."""
    async with connection.transaction():
        await team_of(connection, agency, team)
        await connection.execute(_SQL["revoke"], agency, team)
        await add_to_trail(connection, "teams calendar-address", f"{agency}/{team}", "--revoke", by=by)


async def team_of_secret(connection: Connection, secret: str) -> Team:
    """The team whose feed the secret opens. Raises `NoTeam` if it was revoked or never made, or the team is closed."""
    row = await connection.fetchrow(_SQL["team_of_secret"], _hash(secret))
    if row is None:
        raise NoTeam
    return await team_of(connection, row["agency"], row["team"])


def _hash(secret: str) -> bytes:
    """Without a key: nobody guesses 256 random bits from it."""
    return sha256(secret.encode()).digest()


def calendar_of(
    team: Team, campaigns: Sequence[DueCampaign], origin: str, now: datetime, console: str | None = None
) -> bytes:
    """The whole feed. `origin` is the log's, and makes the ids unique in the world; `now` is the time of this copy."""
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    title = Bilingual("مواعيد حملات {team}", "Campaign due dates of {team}").format(team=line_of(team.name))
    name = " | ".join(title.of(language) for language in team.languages)
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", REFRESH, parameters={"VALUE": "DURATION"})
    for campaign in campaigns:
        calendar.add_component(_event(campaign, team, origin, now, console))
    content: bytes = calendar.to_ical()
    return content


def _event(campaign: DueCampaign, team: Team, origin: str, now: datetime, console: str | None) -> Event:
    due, shown_in = date.fromisoformat(campaign.due_on), team.languages
    event = Event()
    event.add("uid", f"{campaign.campaign_id}@{origin.partition('/')[0]}")
    event.add("dtstamp", now)
    event.add("dtstart", due)
    event.add("dtend", due + timedelta(days=1))
    event.add("sequence", campaign.last_index)
    summary, description = _summary(campaign), _description(campaign)
    event.add("summary", " | ".join(summary.of(language) for language in shown_in))
    event.add("description", "\n\n".join(text_of(description, language) for language in shown_in))
    event.add("status", _status(campaign))
    event.add("transp", "TRANSPARENT")  # it makes nobody busy
    if console is not None:
        event.add("url", f"{console.rstrip('/')}/campaigns/{campaign.campaign_id}")
    return event


def _status(campaign: DueCampaign) -> str:
    """A retired service is never resumed: its paused campaign is cancelled for the calendar."""
    if campaign.is_paused:
        return "CANCELLED" if campaign.is_retired else "TENTATIVE"
    return "CONFIRMED"


def _summary(campaign: DueCampaign) -> Bilingual:
    title = Bilingual("تُبث حتى {day}: {name}", "Air by {day}: {name}")
    if campaign.is_completed:
        title = Bilingual("✓ اكتملت: {name}", "✓ Completed: {name}")
    elif campaign.is_retired and campaign.is_paused:
        title = Bilingual("أُلغيت: {name}", "Cancelled: {name}")
    elif campaign.is_paused:
        title = Bilingual("موقوفة: {name}", "Paused: {name}")
    elif not campaign.missing:
        title = Bilingual("بُثت وبقي إكمالها: {name}", "Aired, to complete: {name}")
    name = campaign.service_name
    shown = line_of(name, SUMMARY_NAME_MAX) if name else campaign.campaign_id
    return title.format(name=shown, day=day_of_month(campaign.due_on))


def _description(campaign: DueCampaign) -> Bilingual:
    sentences = [lines_of(campaign.brief), in_words(campaign.due_on)]
    if not campaign.is_completed:
        by = campaign.acknowledged_by
        if by is None:
            sentences.append(Bilingual("{}.", "{}.").format(CampaignState.TRIGGERED))
        else:
            sentences.append(Bilingual("استلمها {by}.", "Acknowledged by {by}.").format(by=line(by)))
        if campaign.missing:
            label, channels = label_of(InboxItem, "missing_channels"), channel_list(campaign.missing)
            sentences.append(Bilingual("{}: {}.", "{}: {}.").format(label, channels))
    return in_lines([*sentences, Bilingual(campaign.campaign_id, campaign.campaign_id)])
