"""The trail: who did what. Each command of an operator adds its row in the transaction of its action.

A row holds the operator, the host and the command without secrets and free texts.
"""

from __future__ import annotations

import getpass
import os
import socket
from datetime import datetime
from typing import Any, Final

from events.errors import YesserError
from events.values.personal_data import shows_ten_digits
from infra.postgres.connection import Connection, Pool
from infra.postgres.sql import queries
from infra.settings import Settings

_SQL: Final = queries("infra.postgres", "trail.sql")


class NoOperator(YesserError):
    """The operator's name looks like a national id: set YESSER_OPERATOR to the name of a desk or a role."""


async def add_to_trail(connection: Connection | Pool, *words: str, by: str | None = None) -> None:
    """Add a row for the command `yesser WORDS…` in the caller's transaction, or for what the process `by` did.

    Raises `NoOperator`.
    """
    await connection.execute(_SQL["add"], by or operator(), socket.gethostname(), " ".join(words))


async def read_trail(connection: Connection, since: datetime | None) -> list[dict[str, Any]]:
    """The rows since a time, oldest first."""
    return [dict(row) for row in await connection.fetch(_SQL["read"], since)]


def operator() -> str:
    """The setting `operator`, else the name of the system's user. Raises `NoOperator`."""
    name = Settings().operator or _system_user()
    if shows_ten_digits(name):
        raise NoOperator
    return name


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"
