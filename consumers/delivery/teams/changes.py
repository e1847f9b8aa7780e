"""What every change of teams, webhooks and subscriptions shares: its transaction, its agency's lock, its row in the
trail, and why it is not made.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from events.errors import YesserError
from events.values.bilingual import Bilingual
from infra.keys.team_seals import TeamSeals
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.trail import Actor, add_to_trail
from infra.settings import Settings

SQL: Final = queries("consumers.delivery.teams", "teams.sql")


class NotFound(YesserError):
    """There is no such team, webhook or subscription of this agency; the message names it."""


class NotAllowedNow(YesserError):
    """Something that exists prevents the change; the message says what, and what to do."""

    def __init__(self, code: str, detail: Bilingual) -> None:
        super().__init__(detail.en)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Desk:
    """The connection of a change and who makes it. `by`: None for the operator of a command.

    `settings` say where the key of the seals is.
    """

    connection: Connection
    settings: Settings
    by: Actor | None = None

    @property
    def seals(self) -> TeamSeals:
        """In `changing`: a rotation that goes on meanwhile seals the rows again. Raises `InvalidKey`."""
        return TeamSeals.of(self.settings)

    @asynccontextmanager
    async def changing(self, agency: str, *words: str) -> AsyncIterator[Connection]:
        """One change of this agency at a time, in a transaction with its row in the trail (`yesser WORDS…`).

        Words hold no address and no URL, which may hold a secret. Raises `NotFound` for an unknown agency.
        """
        async with self.connection.transaction():
            await self.connection.execute(SQL["lock_seals"])
            await self.connection.execute(SQL["lock_agency"], agency)
            if not await self.connection.fetchval(SQL["is_registered"], agency):
                raise NotFound(f"the agency {agency} is not registered: see `yesser agencies list`.")
            yield self.connection
            await add_to_trail(self.connection, *words, by=self.by)


def limit_reached(limit: int, remedy: Bilingual) -> NotAllowedNow:
    """`remedy` names what there are too many of, and what to end."""
    detail = Bilingual("الحد {}: {}", "There are {} already, the most allowed: {}").format(limit, remedy)
    return NotAllowedNow("limit-reached", detail)


async def require_open_team(connection: Connection, agency: str, team: str) -> None:
    """Raises `NotFound`, also for a closed team."""
    state = await connection.fetchval(SQL["team_state"], agency, team)
    if state != "open":
        known = "is closed" if state else "is not known"
        raise NotFound(f"the team {agency}/{team} {known}: see `yesser teams list {agency}`.")
