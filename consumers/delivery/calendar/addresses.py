"""Secret addresses of feeds: a calendar sends no token. A team has one at a time; only its secret's hash is kept."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct

from consumers.delivery.due_campaigns import NoTeam, Team, team_of
from consumers.delivery.teams.changes import Desk
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail

FEED_PATTERN: Final = r"^[A-Za-z0-9_-]{43}$"
PATH: Final = "/calendars/due.ics"
_SECRET_BYTES: Final = 32

_SQL: Final = queries("consumers.delivery.calendar", "addresses.sql")


class CalendarAddress(Struct, frozen=True, kw_only=True):
    """The address of a team's calendar, which is shown once."""

    team: str
    address: str


async def new_address(desk: Desk, agency: str, team: str) -> str:
    """A new address; an earlier one of the team ends. Raises `NoTeam`."""
    connection, secret = desk.connection, secrets.token_urlsafe(_SECRET_BYTES)
    async with connection.transaction():
        await team_of(connection, agency, team)
        await connection.execute(_SQL["revoke"], agency, team)
        await connection.execute(_SQL["add"], agency, team, _hash(secret))
        await add_to_trail(connection, "teams calendar-address", f"{agency}/{team}", by=desk.by)
    return f"{desk.settings.gateway_address}{PATH}?{urlencode({'feed': secret})}"


async def revoke_address(desk: Desk, agency: str, team: str) -> None:
    """The team's address ends, if it has one. Raises `NoTeam`."""
    connection = desk.connection
    async with connection.transaction():
        await team_of(connection, agency, team)
        await connection.execute(_SQL["revoke"], agency, team)
        await add_to_trail(connection, "teams calendar-address", f"{agency}/{team}", "--revoke", by=desk.by)


async def team_of_secret(connection: Connection, secret: str) -> Team:
    """The team whose feed the secret opens. Raises `NoTeam` if it was revoked or never made, or the team is closed."""
    row = await connection.fetchrow(_SQL["team_of_secret"], _hash(secret))
    if row is None:
        raise NoTeam
    return await team_of(connection, row["agency"], row["team"])


def _hash(secret: str) -> bytes:
    """Without a key: nobody guesses 256 random bits from it."""
    return sha256(secret.encode()).digest()
