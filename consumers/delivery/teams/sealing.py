"""Seals rows of teams, webhooks and subscriptions that have not their seal, and all of them again under a new key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from consumers.delivery.teams.changes import SQL
from infra.keys.hash_keys import HashKeyFiles
from infra.keys.rotation import Rotation, begin_hash_rotation, rotate_hash_key
from infra.keys.team_seals import Table, TeamSeals
from infra.postgres.connection import Connection

Row = tuple[Table, Mapping[str, Any]]
_TABLES: Final[Mapping[Table, tuple[str, str, tuple[str, ...]]]] = {
    "delivery.team": ("sealed_rows_of_teams", "seal_team", ("agency", "team")),
    "delivery.endpoint": ("sealed_rows_of_endpoints", "seal_endpoint", ("endpoint_id",)),
    "delivery.subscription": ("sealed_rows_of_subscriptions", "seal_subscription", ("subscription_id",)),
}
"""Of each table: the query for its rows, the one that seals a row, and the row's key."""


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
