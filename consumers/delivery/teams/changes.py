"""What every change of teams, webhooks and subscriptions shares: its transaction, its agency's lock, its row in the
trail, why it is not made, and the seals of their rows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from events.errors import YesserError
from events.values.bilingual import Bilingual
from infra.keys.hash_keys import HashKeyFiles
from infra.keys.rotation import Rotation, begin_hash_rotation, rotate_hash_key
from infra.keys.team_seals import Table, TeamSeals
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.trail import Actor, add_to_trail
from infra.settings import Settings

SQL: Final = queries("consumers.delivery.teams", "teams.sql")
Row = tuple[Table, Mapping[str, Any]]
_TABLES: Final[Mapping[Table, tuple[str, str, tuple[str, ...]]]] = {
    "delivery.team": ("sealed_rows_of_teams", "seal_team", ("agency", "team")),
    "delivery.endpoint": ("sealed_rows_of_endpoints", "seal_endpoint", ("endpoint_id",)),
    "delivery.subscription": ("sealed_rows_of_subscriptions", "seal_subscription", ("subscription_id",)),
}
"""Of each table: the query for its rows, the one that seals a row, and the row's key."""


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


async def sealed_rows(connection: Connection) -> list[Row]:
    """Every row that should have a seal."""
    return [(table, row) for table, (query, _, _) in _TABLES.items() for row in await connection.fetch(SQL[query])]


async def unsealed_rows(connection: Connection, seals: TeamSeals) -> list[Row]:
    """Those that have not their seal: of an earlier release, or changed in the database."""
    return [(table, row) for table, row in await sealed_rows(connection) if not seals.is_sealed(table, row)]


async def put_seals(connection: Connection, seals: TeamSeals, rows: Iterable[Row]) -> None:
    """Seal these rows as they are, in the caller's transaction."""
    for table, row in rows:
        _, query, key = _TABLES[table]
        await connection.execute(SQL[query], *(row[name] for name in key), seals.seal(table, row))


def described(table: Table, row: Mapping[str, Any]) -> str:
    """A row in one line, for the operator who compares it with what it should say."""
    team = f"{row['agency']}/{row['team']}"
    match table:
        case "delivery.team":
            name = f"{row['name']['ar']} / {row['name']['en']}"
            return f"team {team}: {name}, {', '.join(row['contacts']) or 'no contact'}"
        case "delivery.endpoint":
            return f"webhook {row['endpoint_id']} of {team}: {row['url']}"
        case "delivery.subscription":
            wanted = {name: row[name] for name in ("rules", "services", "channels", "types") if row[name] is not None}
            route = row["endpoint_id"] or row["route"]
            return (
                f"subscription {row['subscription_id']} of {team}: {route}, from {row['from_index']}, {wanted or 'all'}"
            )


async def rotate_teams_key(connection: Connection, files: HashKeyFiles, overlap_days: int, now: datetime) -> Rotation:
    """Replace the key. Raises `CannotRotate` or `InvalidKey`. Interrupted, it can be repeated.

    First the next key is in its file, under which what is new is sealed from then on; then every row that has its seal
    gets a new one; then the file is the current one. A row without its seal stays as it is.
    """
    await connection.execute(SQL["one_rotation"])
    seals = TeamSeals(begin_hash_rotation(files, overlap_days, now), now)
    async with connection.transaction():
        await connection.execute(SQL["wait_for_writers"])
        rows = await sealed_rows(connection)
        await put_seals(connection, seals, [(table, row) for table, row in rows if seals.is_sealed(table, row)])
    return rotate_hash_key(files, overlap_days, now)
