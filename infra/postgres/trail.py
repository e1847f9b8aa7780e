"""The trail: who did what. Each command of an operator adds its row in the transaction of its action.

A row holds the database role that wrote it, the account or the operator, the host, and the command without secrets and
free texts. Rows are chained in the order of their commits: each link's hash covers the row and the hash before it.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from msgspec import Struct

from events.errors import YesserError
from events.values.personal_data import shows_ten_digits
from events.wire.codec import canonical_bytes
from events.wire.entry import recorded_time
from infra.postgres.connection import Connection, Pool
from infra.postgres.sql import queries
from infra.settings import Settings

BEFORE_THE_FIRST: Final = bytes(32)
"""The hash at position 0."""
BREAK_GLASS: Final = "break-glass"
"""The kind of row of an act that needs two people and that one person did, with the act and the reason."""
_HASHED: Final = ("account", "command", "event_ids", "host", "operator", "role")
_PAGE_ROWS: Final = 1_000
_SQL: Final = queries("infra.postgres", "trail.sql")


class NoOperator(YesserError):
    """The operator's name looks like a national id: set YESSER_OPERATOR to the name of a desk or a role."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who a process acts for: an account of the console, a token's holder, or nobody."""

    account: str | None = None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """The rows that a role may write: the first words of their commands, and the columns that it may fill."""

    commands: tuple[str, ...]
    columns: tuple[str, ...] = ("operator",)


KINDS: Final[Mapping[str, Kind]] = {
    "registrar": Kind((BREAK_GLASS, "keys", "recover")),
    "delivery": Kind(("webhooks",), ()),
    "gateway": Kind(("expectations", "refused", "subscriptions", "teams", "webhooks"), ("account", "operator")),
    "console": Kind(
        ("campaigns", "change", "check", "confirm", "download", "end", "publish", "refused", "sign", "upload"),
        ("account", "event_ids"),
    ),
    "administrator": Kind(
        (
            *(BREAK_GLASS, "accounts", "agencies", "expectations", "recover", "subscriptions", "teams", "tokens"),
            *("webhooks", "withheld"),
        )
    ),
    "operator": Kind(
        (BREAK_GLASS, "audit", "decisions", "erase", "find-person", "keys", "refusals", "registrar", "topics")
    ),
}
"""By principal. The policies of the table are made from it."""


def policy_of(principal: str) -> str | None:
    """The condition in SQL that a row of this principal meets; None where it writes none."""
    kind = KINDS.get(principal)
    if kind is None:
        return None
    commands = ", ".join(f"'{word}'" for word in kind.commands)
    empty = [name for name in ("account", "operator", "event_ids") if name not in kind.columns]
    return " AND ".join([f"split_part(command, ' ', 1) IN ({commands})", *(f"{name} IS NULL" for name in empty)])


async def add_to_trail(
    connection: Connection | Pool, *words: str, by: Actor | None = None, event_ids: Sequence[str] | None = None
) -> None:
    """Add a row for the command `yesser WORDS…` in the caller's transaction, or for what a process did for `by`.

    `event_ids`: of the events that it sent. Raises `NoOperator`.
    """
    by = by or Actor(operator=operator())
    ids = None if event_ids is None else list(event_ids)
    await connection.execute(_SQL["add"], by.account, by.operator, socket.gethostname(), " ".join(words), ids)


async def trail_rows(
    connection: Connection, after: int = 0, since: datetime | None = None, event_id: str | None = None
) -> AsyncIterator[dict[str, Any]]:
    """The rows after a position, in the order of their commits: since a time, or of an event."""
    while True:
        rows = await connection.fetch(_SQL["read"], after, since, event_id, _PAGE_ROWS)
        for row in rows:
            yield dict(row)
        if len(rows) < _PAGE_ROWS:
            return
        after = rows[-1]["position"]


class ActOfOnePerson(Struct, frozen=True):
    """A row of the trail: one person did what needs two."""

    position: int
    at: datetime
    operator: str | None
    command: str


async def acts_of_one_person(connection: Connection | Pool) -> list[ActOfOnePerson]:
    """Those of the last 7 days, in the order of their commits."""
    return [ActOfOnePerson(*row) for row in await connection.fetch(_SQL["alone"], BREAK_GLASS)]


def row_bytes(position: int, row: Mapping[str, Any]) -> bytes:
    """What a link's hash covers of its row: RFC 8785 JSON of its members, its position and its time, as in entries."""
    members = {name: row[name] for name in _HASHED}
    return canonical_bytes({**members, "at": recorded_time(row["at"]), "position": position})


def link_hash(before: bytes, position: int, row: Mapping[str, Any]) -> bytes:
    """The hash of a row's link: SHA-256 of the hash before it (32 bytes) and the row's bytes."""
    return sha256(before + row_bytes(position, row)).digest()


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
