"""Accounts: who may sign in, and what the account may read and send.

An account is of a desk or a role, as its name says. What a role may read is what the token of the same kind may read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from events.validation.verdicts import Agency
from infra.http.callers import DEFAULT_SCOPES, Caller, Kind
from infra.kafka.rights import OFFICE
from infra.postgres.connection import Connection, Pool
from infra.postgres.sql import queries

Role = Literal["office", "agency", "team", "partner", "treasury", "auditor", "administrator"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
USERNAME: Final = re.compile(r"[a-z][a-z0-9._-]{1,62}")
_KINDS: Final[dict[Role, Kind]] = {
    "office": "office",
    "agency": "agency",
    "team": "agency",
    "partner": "partner",
    "treasury": "treasury",
    "auditor": "auditor",
}
_SQL: Final = queries("consumers.console.accounts", "accounts.sql")


@dataclass(frozen=True, slots=True)
class Account:
    """An account that may sign in. `holder`: the agency of an agency's account and of its campaign team.

    `is_suspended`: whether that agency is, as the session that was looked up says. Without a password it signs in at
    the identity provider alone.
    """

    username: str
    role: Role
    holder: str | None = None
    team: str | None = None
    partners: tuple[str, ...] = ()
    language: Literal["ar", "en"] = "ar"
    is_suspended: bool = False
    has_password: bool = True

    def caller(self) -> Caller | None:
        """As whom the account reads and sends; None for an administrator, who sees operations only."""
        kind = _KINDS.get(self.role)
        if kind is None:
            return None
        holder = OFFICE if self.role == "office" else self.holder or self.username
        agency = Agency(holder, kind) if kind in ("agency", "office") else None
        scopes = frozenset(DEFAULT_SCOPES[kind])
        return Caller(f"console/{self.username}", kind, holder, scopes, agency, self.is_suspended, self.partners)


def account_of(row: Mapping[str, Any]) -> Account:
    names = ("username", "role", "holder", "team", "language", "has_password")
    return Account(partners=tuple(row["partners"]), **{name: row[name] for name in names})


async def find_account(connection: Connection | Pool, username: str) -> tuple[Account, str | None] | None:
    """An account that is not disabled, and the hash of its password."""
    row = await connection.fetchrow(_SQL["account"], username)
    return None if row is None else (account_of(row), row["password_hash"])


async def find_by_subject(connection: Connection | Pool, subject: str) -> Account | None:
    """The account, not disabled, that an identity provider's subject stands for."""
    row = await connection.fetchrow(_SQL["account_by_subject"], subject)
    return None if row is None else account_of(row)


async def list_accounts(connection: Connection | Pool) -> list[dict[str, Any]]:
    """Every account, without its password."""
    return [dict(row) for row in await connection.fetch(_SQL["accounts"])]
