"""The key of the teams' seals in tests, and rows that a test wrote, sealed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from consumers.delivery.teams.changes import put_seals, sealed_rows
from infra.keys.hash_keys import HashKey, HashKeys
from infra.keys.team_seals import TeamSeals, team_key_files
from infra.postgres.connection import Connection
from infra.secret_files import write_private
from infra.settings import Settings

KEY: Final = "k" * 43
SEALS: Final = TeamSeals(HashKeys(HashKey(KEY)), datetime.now(UTC))


def write_teams_key(settings: Settings) -> None:
    """The key's file, as `yesser prepare` makes it."""
    path = team_key_files(settings).current
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, KEY)


async def seal_rows(connection: Connection) -> None:
    """Seal all that teams manage, as it is."""
    await put_seals(connection, SEALS, await sealed_rows(connection))
