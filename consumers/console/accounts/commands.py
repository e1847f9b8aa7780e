"""`yesser accounts`: who may sign in to the console."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any, Final

import asyncpg
import click

from consumers.console.accounts.accounts import ROLES, USERNAME, list_accounts
from consumers.console.accounts.passwords import LENGTH_MIN, hash_password
from events.errors import Reject
from events.values.fields import CODE_PATTERN, ID_PATTERN
from events.values.personal_data import shows_ten_digits
from infra.command_line.database import with_database
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.command_line.parameters import AgencyCode
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail
from infra.settings import Settings

_PARTNER: Final = re.compile(f"{CODE_PATTERN.strip('^$')}/{ID_PATTERN.strip('^$')}")
_SQL: Final = queries("consumers.console.accounts", "accounts.sql")


class AccountExists(Reject):
    """There is an account of this name, or of this subject: `yesser accounts list`."""


class NoSuchAccount(Reject):
    """There is no account of this name: `yesser accounts list`."""


class InvalidAccount(Reject):
    """The account cannot be added."""


@click.group()
def accounts() -> None:
    """Decide who may sign in to the console.

    An account is of a desk or a role, never of a person by name or number: what it does is in the trail.
    """


@accounts.command("add")
@click.argument("username")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the account may see.")
@click.option("--agency", type=AgencyCode(), help="Of an agency's account and of a campaign team's.")
@click.option("--team", help="Of a campaign team's account.")
@click.option("--partner", "partners", multiple=True, metavar="AGENCY/PARTNER_ID", help="Of a partner; repeatable.")
@click.option("--language", type=click.Choice(["ar", "en"]), default="ar", show_default=True)
@click.option("--subject", help="The subject (sub) of the identity provider; then the account needs no password.")
@json_option
def add_command(
    username: str,
    role: str,
    agency: str | None,
    team: str | None,
    partners: tuple[str, ...],
    language: str,
    subject: str | None,
    as_json: bool,
) -> None:
    """Add an account, and print its first password once.

    Without --subject a password is made; change it at /account after the first sign-in.
    """
    require_valid(username, role, agency, team, partners)
    password = None if subject else secrets.token_urlsafe(LENGTH_MIN)

    async def add(connection: Connection) -> None:
        try:
            async with connection.transaction():
                hashed = None if password is None else hash_password(password)
                given = (username, role, agency, team, list(partners), language, hashed, subject)
                await connection.execute(_SQL["add_account"], *given)
                await add_to_trail(connection, "accounts add", username, "--role", role)
        except asyncpg.UniqueViolationError:
            raise AccountExists(f"{username}: {AccountExists.__doc__}") from None

    with_database(Settings().acting_as("administrator"), "accounts", add)
    document = {"username": username, "role": role, "agency": agency, "team": team, "password": password}
    print_confirmation(
        document,
        as_json,
        f"أضيف الحساب {username}." + (f" كلمة المرور الأولى: {password}" if password else ""),
        f"Added the account {username}." + (f" Its first password: {password}" if password else ""),
    )


@accounts.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the accounts."""
    rows = with_database(Settings().acting_as("administrator"), "accounts", list_accounts)
    document = [{name: _shown(value) for name, value in row.items()} for row in rows]

    def show() -> None:
        for row in rows:
            state = "disabled" if row["disabled_at"] else "active"
            whose = (row["team"] and f"{row['holder']}/{row['team']}") or row["holder"] or ", ".join(row["partners"])
            click.echo(f"{row['username']:24} {row['role']:14} {whose:32} {state}")

    print_result(document, as_json, show)


@accounts.command("password")
@click.argument("username")
@json_option
def password_command(username: str, as_json: bool) -> None:
    """Make a new password for an account, print it once, and end the account's sessions."""
    made = secrets.token_urlsafe(LENGTH_MIN)

    async def change(connection: Connection) -> None:
        async with connection.transaction():
            await _changed(connection, "set_password", username, hash_password(made))
            await connection.execute(_SQL["end_sessions"], username)
            await add_to_trail(connection, "accounts password", username)

    with_database(Settings().acting_as("administrator"), "accounts", change)
    document = {"username": username, "password": made}
    print_confirmation(document, as_json, f"كلمة المرور الجديدة: {made}", f"The new password: {made}")


@accounts.command("disable")
@click.argument("username")
@json_option
def disable_command(username: str, as_json: bool) -> None:
    """Disable an account and end its sessions at once."""
    _set_disabled(username, as_json, disabled=True)


@accounts.command("enable")
@click.argument("username")
@json_option
def enable_command(username: str, as_json: bool) -> None:
    """Enable a disabled account."""
    _set_disabled(username, as_json, disabled=False)


def require_valid(username: str, role: str, agency: str | None, team: str | None, partners: tuple[str, ...]) -> None:
    """Raises `InvalidAccount` with what to change."""
    faults = []
    if USERNAME.fullmatch(username) is None or shows_ten_digits(username):
        faults.append("a name is 2 to 63 of a-z, 0-9, '.', '_' and '-', begins with a letter, and has no ten digits")
    if (agency is not None) != (role in ("agency", "team")):
        faults.append("--agency is for the roles agency and team, and only for them")
    if (team is not None) != (role == "team"):
        faults.append("--team is for the role team, and only for it")
    if bool(partners) != (role == "partner") or not all(map(_PARTNER.fullmatch, partners)):
        faults.append("--partner AGENCY/PARTNER_ID is for the role partner, and only for it")
    if faults:
        raise InvalidAccount("; ".join(faults) + ".")


def _set_disabled(username: str, as_json: bool, *, disabled: bool) -> None:
    async def change(connection: Connection) -> None:
        async with connection.transaction():
            await _changed(connection, "disable_account", username, disabled)
            await connection.execute(_SQL["end_sessions"], username)
            await add_to_trail(connection, "accounts", "disable" if disabled else "enable", username)

    with_database(Settings().acting_as("administrator"), "accounts", change)
    ar, en = ("عُطّل الحساب", "Disabled") if disabled else ("فُعّل الحساب", "Enabled")
    print_confirmation({"username": username, "disabled": disabled}, as_json, f"{ar} {username}.", f"{en} {username}.")


async def _changed(connection: Connection, statement: str, username: str, value: Any) -> None:
    if await connection.execute(_SQL[statement], username, value) == "UPDATE 0":
        raise NoSuchAccount(f"{username}: {NoSuchAccount.__doc__}")


def _shown(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
