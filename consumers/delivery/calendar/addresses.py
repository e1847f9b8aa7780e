"""Secret addresses of feeds: a calendar sends no token. A team has one at a time; only its secret's hash is kept."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct

from consumers.delivery.due_campaigns import NoTeam, Team, team_of
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.trail import Actor, add_to_trail
from infra.settings import Settings

FEED_PATTERN: Final = r"^[A-Za-z0-9_-]{43}$"
PATH: Final = "/calendars/due.ics"
_SECRET_BYTES: Final = 32

_SQL: Final = queries("consumers.delivery.calendar", "addresses.sql")


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
