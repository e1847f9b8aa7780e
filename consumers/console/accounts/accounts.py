"""Accounts: who may sign in, and what the account may read and send.

An account is of a desk or a role, as its name says. What a role may read is what the token of the same kind may read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

import structlog

from consumers.documents.document import document_of
from consumers.documents.teams.teams import AccountOfConsole
from events.errors import Halt, Reject
from events.validation.verdicts import Agency
from infra.http.callers import DEFAULT_SCOPES, Caller, Kind
from infra.http.console_tokens import SENDERS
from infra.kafka.rights import OFFICE
from infra.keys.resealing import begin_sealing
from infra.keys.seals import Seals
from infra.postgres.connection import Connection, Pool
from infra.postgres.sql import queries

Role = Literal["office", "agency", "team", "partner", "treasury", "auditor", "administrator"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
USERNAME: Final = re.compile(r"[a-z][a-z0-9._-]{1,62}")
_KINDS: Final[dict[str, Kind]] = {**SENDERS, "partner": "partner", "treasury": "treasury", "auditor": "auditor"}
_SQL: Final = queries("consumers.console.accounts", "accounts.sql")
_logger = structlog.get_logger(__name__)


class NoSuchAccount(Reject):
    """There is no account of this name: `yesser accounts list`."""


class PasswordChanged(Reject):
    """The password was replaced while the one that somebody gave was compared with it."""


class AccountChanged(Halt):
    """The account's row was changed in the database, or is of an earlier release: compare it with what it should say
    (`yesser accounts list`), and seal it with `yesser accounts seal`."""


Row = Mapping[str, Any]
"""An account as the database has it."""


def account_document(row: Row, seals: Seals) -> AccountOfConsole:
    """As people see it: without the hash of its password and its seal."""
    derived = {"has_password": row["password_hash"] is not None, "is_sealed": seals.is_account(row)}
    return document_of(AccountOfConsole, row, **derived)


@dataclass(frozen=True, slots=True)
class Account:
    """An account that may sign in. `holder`: the agency of an agency's account and of its campaign team.

    `is_suspended`: whether that agency is, as the session that was looked up says. Without a password it signs in at
    the identity provider alone. `must_change_password`: an administrator made its password.
    """

    username: str
    role: Role
    holder: str | None = None
    team: str | None = None
    partners: tuple[str, ...] = ()
    language: Literal["ar", "en"] = "ar"
    is_suspended: bool = False
    has_password: bool = True
    must_change_password: bool = False

    def caller(self) -> Caller | None:
        """As whom the account reads and sends; None for an administrator, who sees operations only."""
        kind = _KINDS.get(self.role)
        if kind is None:
            return None
        holder = OFFICE if self.role == "office" else self.holder or self.username
        agency = Agency(holder, kind) if kind in ("agency", "office") else None
        scopes = frozenset(DEFAULT_SCOPES[kind])
        return Caller(f"console/{self.username}", kind, holder, scopes, agency, self.is_suspended, self.partners)


def account_of(row: Row, seals: Seals) -> Account | None:
    """The account of a row; None for one that is disabled, or whose row has not its seal."""
    if not seals.is_account(row):
        _logger.error("an account's row was changed in the database: it signs nobody in", username=row["username"])
        return None
    if row["disabled_at"] is not None:
        return None
    named = {name: row[name] for name in ("username", "role", "holder", "team", "language", "must_change_password")}
    return Account(partners=tuple(row["partners"]), has_password=row["password_hash"] is not None, **named)


async def find_account(connection: Connection | Pool, seals: Seals, username: str) -> tuple[Account, str | None] | None:
    """An account that may sign in, and the hash of its password."""
    row = await connection.fetchrow(_SQL["account"], username)
    if row is None or (account := account_of(row, seals)) is None:
        return None
    return account, row["password_hash"]


async def find_by_subject(connection: Connection | Pool, seals: Seals, subject: str) -> Account | None:
    """The account that may sign in for an identity provider's subject."""
    row = await connection.fetchrow(_SQL["account_by_subject"], subject)
    return None if row is None else account_of(row, seals)


async def add_account(
    connection: Connection, seals: Seals, account: Account, password_hash: str | None, oidc_subject: str | None = None
) -> None:
    """In the caller's transaction: add a new account, sealed.

    Raises `asyncpg.UniqueViolationError` where its name or its subject is taken.
    """
    await begin_sealing(connection)
    members = (account.username, account.role, account.holder, account.team, list(account.partners))
    signs_in_by = (password_hash, account.must_change_password, oidc_subject)
    names = ("username", "role", "holder", "team", "partners", "password_hash", "must_change_password", "oidc_subject")
    seal = seals.of_account({**dict(zip(names, (*members, *signs_in_by), strict=True)), "disabled_at": None})
    await connection.execute(_SQL["add_account"], *members, account.language, *signs_in_by, seal)


async def set_password(
    connection: Connection,
    seals: Seals,
    username: str,
    password_hash: str | None,
    *,
    must_change: bool = False,
    before: str | None = None,
) -> None:
    """In the caller's transaction: change it, or take it away, and end the sessions.

    `before`: the hash that the person's password was compared with. Raises `NoSuchAccount`, `AccountChanged`,
    `PasswordChanged`.
    """
    row = await _locked(connection, seals, username)
    if before is not None and row["password_hash"] != before:
        raise PasswordChanged(PasswordChanged.__doc__)
    seal = seals.of_account({**row, "password_hash": password_hash, "must_change_password": must_change})
    await connection.execute(_SQL["set_password"], username, password_hash, must_change, seal)
    await connection.execute(_SQL["end_sessions"], username)


async def set_disabled(connection: Connection, seals: Seals, username: str, disabled_at: datetime | None) -> None:
    """The same for whether it is disabled, and since when."""
    row = await _locked(connection, seals, username)
    seal = seals.of_account({**row, "disabled_at": disabled_at})
    await connection.execute(_SQL["disable_account"], username, disabled_at, seal)
    await connection.execute(_SQL["end_sessions"], username)


async def _locked(connection: Connection, seals: Seals, username: str) -> Row:
    await begin_sealing(connection)
    row: Row | None = await connection.fetchrow(_SQL["locked_account"], username)
    if row is None:
        raise NoSuchAccount(f"{username}: {NoSuchAccount.__doc__}")
    if not seals.is_account(row):
        raise AccountChanged(f"{username}: {AccountChanged.__doc__}")
    return row


async def list_accounts(connection: Connection | Pool) -> list[Row]:
    """Every account, by name."""
    return list(await connection.fetch(_SQL["accounts"]))


async def seal_accounts(connection: Connection, seals: Seals, rows: Sequence[Row]) -> None:
    """In the caller's transaction: seal accounts as they are, each of which an operator has compared."""
    await begin_sealing(connection)
    await connection.executemany(_SQL["seal_account"], [(row["username"], seals.of_account(row)) for row in rows])
