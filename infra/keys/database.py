"""What the commands of keys ask of the database, and write into it: valid tokens by key, seals, and the trail."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from infra.command_line.database import with_database
from infra.keys.hash_keys import accounts_key_files
from infra.keys.resealing import rotate_accounts_key
from infra.keys.rotation import Rotation
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, NoDatabase, NoPassword
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail
from infra.settings import Settings

_SQL: Final = queries("infra.keys", "keys.sql")


def count_tokens(settings: Settings) -> dict[str | None, int] | None:
    """The number of valid tokens by the key of their hash; None where the database cannot be reached, or the
    administrator's password is not here, as on a standby machine."""
    try:
        return with_database(settings.acting_as("administrator"), "keys", tokens_by_key)
    except (NoDatabase, NoPassword, *TRANSIENT_ERRORS):
        return None


def of_this_machine(settings: Settings) -> Settings:
    """As the operator; as the registrar on its machine, where the log's key is and the operator's password is not."""
    return settings.acting_as("operator" if settings.passwords("postgres", "operator") else "registrar")


def add_command(settings: Settings, *words: str) -> str | None:
    """Add a row for `yesser keys` to the trail; returns why there is none where the database cannot be reached."""
    try:
        with_database(of_this_machine(settings), "keys", lambda db: add_to_trail(db, "keys", *words))
    except (NoDatabase, NoPassword, *TRANSIENT_ERRORS) as error:
        return str(error)
    return None


def rotate_accounts(settings: Settings, overlap_days: int, now: datetime) -> Rotation:
    """Replace the key of accounts and sessions. Raises `CannotRotate`, `InvalidKey`."""
    files = accounts_key_files(settings)
    administrator = settings.acting_as("administrator")
    return with_database(administrator, "keys", lambda db: rotate_accounts_key(db, files, overlap_days, now))


async def tokens_by_key(connection: Connection) -> dict[str | None, int]:
    return {row["hash_key_id"]: row["tokens"] for row in await connection.fetch(_SQL["tokens"])}
