"""`yesser accounts`: who may sign in to the console."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Literal, TypeVar

import asyncpg
import click

from consumers.console.accounts.accounts import (
    ROLES,
    USERNAME,
    Account,
    NoSuchAccount,
    Role,
    Row,
    account_document,
    add_account,
    list_accounts,
    seal_accounts,
    set_disabled,
    set_password,
)
from consumers.console.accounts.passwords import LENGTH_MIN, hash_password
from consumers.delivery.due_campaigns import team_of
from consumers.documents.teams.teams import ACCOUNTS, AccountOfConsole
from consumers.replay.as_of.query import print_list
from events.errors import Reject
from events.values.bilingual import Bilingual
from events.values.fields import CODE_PATTERN, ID_PATTERN
from events.values.personal_data import shows_ten_digits
from infra.command_line.break_glass import break_glass_option
from infra.command_line.completion import registered
from infra.command_line.database import with_database
from infra.command_line.language import localized
from infra.command_line.output import json_option, print_confirmation
from infra.command_line.parameters import AgencyCode
from infra.keys.access_changes import AccessChanges
from infra.keys.approvals import SENSITIVE_ROLES, Act
from infra.keys.seals import Seals
from infra.keys.second_person import Permit, ask, can_confirm
from infra.postgres.connection import Connection
from infra.postgres.trail import add_to_trail
from infra.settings import Settings

Result = TypeVar("Result")
Asking = Callable[[Connection, Settings], Awaitable[Permit | None]]
"""Asks for a second person before a transaction, where the act needs one."""
_PARTNER: Final = re.compile(f"{CODE_PATTERN.strip('^$')}/{ID_PATTERN.strip('^$')}")


class AccountExists(Reject):
    """There is an account of this name, or of this subject: `yesser accounts list`."""


class AccountsChanged(Reject):
    """The accounts were changed meanwhile. Nothing was sealed. Run the command again."""


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
@break_glass_option
@json_option
def add_command(
    username: str,
    role: Role,
    agency: str | None,
    team: str | None,
    partners: tuple[str, ...],
    language: Literal["ar", "en"],
    subject: str | None,
    break_glass: str | None,
    as_json: bool,
) -> None:
    """Add an account, and print its first password once.

    Without --subject a password is made; the person must choose another one at the first sign-in. Accounts of the
    office and of administrators need two people, once there is a second administrator.
    """
    require_valid(username, role, agency, team, partners)
    for code in (agency, *(partner.partition("/")[0] for partner in partners)):
        registered(code)
    asked = {"username": username, "role": role, "subject": subject}
    password = None if subject else secrets.token_urlsafe(LENGTH_MIN)
    # Before the transaction: PostgreSQL ends one that waits seconds for a busy processor.
    hashed = None if password is None else hash_password(password)
    new = Account(username, role, agency, team, partners, language, must_change_password=password is not None)

    async def add(connection: Connection, seals: Seals) -> None:
        if agency is not None and team is not None:
            await team_of(connection, agency, team)
        try:
            await add_account(connection, seals, new, hashed, subject)
            await add_to_trail(connection, "accounts add", username, "--role", role)
        except asyncpg.UniqueViolationError:
            raise AccountExists(f"{username}: {AccountExists.__doc__}") from None

    async def permit(connection: Connection, settings: Settings) -> Permit | None:
        if role not in SENSITIVE_ROLES or username in {row["username"] for row in await list_accounts(connection)}:
            return None
        return await ask(connection, settings, "accounts add", asked, break_glass)

    _with_seals(add, permit)
    _with_seals(lambda connection, _: AccessChanges.of(Settings()).add(connection, "account", username, "added"))
    document = {"username": username, "role": role, "agency": agency, "team": team, "password": password}
    added = Bilingual("أضيف الحساب {}.", "Added the account {}.")
    if password:
        added = Bilingual("أضيف الحساب {}. كلمة المرور الأولى: {}", "Added the account {}. Its first password: {}")
    print_confirmation(document, as_json, added.format(username, password))


@accounts.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the accounts."""

    async def read(connection: Connection, seals: Seals) -> list[AccountOfConsole]:
        return [account_document(row, seals) for row in await list_accounts(connection)]

    rows = _with_seals(read)
    print_list(ACCOUNTS, rows, as_json)


@accounts.command("seal")
@click.argument("usernames", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask: you have compared each account with what it should say.")
@break_glass_option
@json_option
def seal_command(usernames: tuple[str, ...], yes: bool, break_glass: str | None, as_json: bool) -> None:
    """Seal accounts that are of an earlier release, or whose row was changed in the database.

    An account without its seal signs nobody in. Compare its role, agency, team, partners and subject with what they
    should be. Where a row was changed, also make a new password afterwards. Accounts of the office and of
    administrators need two people, once there is a second administrator.
    """

    async def read(connection: Connection, seals: Seals) -> list[Row]:
        rows = {row["username"]: row for row in await list_accounts(connection)}
        if missing := sorted(set(usernames) - set(rows)):
            raise NoSuchAccount(f"{', '.join(missing)}: {NoSuchAccount.__doc__}")
        return [rows[username] for username in usernames]

    rows = _with_seals(read)
    if not yes:
        seals = Seals.of(Settings())
        print_list(ACCOUNTS, [account_document(row, seals) for row in rows], as_json=False)
        detail = Bilingual("أهذا ما يجب أن تقوله؟", "Is this what they should say?")
        click.confirm(localized(detail), abort=True, err=True)

    async def seal(connection: Connection, seals: Seals) -> None:
        if await read(connection, seals) != rows:
            raise AccountsChanged(AccountsChanged.__doc__)
        await seal_accounts(connection, seals, rows)
        await add_to_trail(connection, "accounts seal", *usernames)

    async def permit(connection: Connection, settings: Settings) -> Permit | None:
        asked = [_what_is_sealed(row) for row in rows if row["role"] in SENSITIVE_ROLES]
        return await ask(connection, settings, "accounts seal", {"accounts": asked}, break_glass) if asked else None

    _with_seals(seal, permit)
    document = {"sealed": list(usernames)}
    sentence = Bilingual("خُتمت الحسابات: {}.", "Sealed accounts: {}.").format(len(usernames))
    print_confirmation(document, as_json, sentence)


@accounts.command("password")
@click.argument("username")
@break_glass_option
@json_option
def password_command(username: str, break_glass: str | None, as_json: bool) -> None:
    """Make a new password for an account, print it once, and end the account's sessions.

    The person must choose another one at the next sign-in. Accounts of the office and of administrators need two
    people, once there is a second administrator.
    """
    made = secrets.token_urlsafe(LENGTH_MIN)
    hashed = hash_password(made)

    async def change(connection: Connection, seals: Seals) -> None:
        await set_password(connection, seals, username, hashed, must_change=True)
        await add_to_trail(connection, "accounts password", username)
        await AccessChanges.of(Settings()).add(connection, "account", username, "password")

    _with_seals(change, _of_sensitive("accounts password", username, break_glass))
    document = {"username": username, "password": made}
    print_confirmation(document, as_json, Bilingual("كلمة المرور الجديدة: {}", "The new password: {}").format(made))


@accounts.command("disable")
@click.argument("username")
@break_glass_option
@json_option
def disable_command(username: str, break_glass: str | None, as_json: bool) -> None:
    """Disable an account and end its sessions at once.

    The second last administrator's needs two people: nobody ends their rule alone.
    """

    async def permit(connection: Connection, settings: Settings) -> Permit | None:
        found = await can_confirm(connection, settings)
        if username not in found.names or found.count > 2:
            return None
        return await ask(connection, settings, "accounts disable", {"username": username}, break_glass)

    _set_disabled(username, permit, as_json, disabled=True)


@accounts.command("enable")
@click.argument("username")
@break_glass_option
@json_option
def enable_command(username: str, break_glass: str | None, as_json: bool) -> None:
    """Enable a disabled account.

    Accounts of the office and of administrators need two people, once there is a second administrator.
    """
    _set_disabled(username, _of_sensitive("accounts enable", username, break_glass), as_json, disabled=False)


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


def _set_disabled(username: str, permit: Asking, as_json: bool, *, disabled: bool) -> None:
    async def change(connection: Connection, seals: Seals) -> None:
        await set_disabled(connection, seals, username, datetime.now(UTC) if disabled else None)
        await add_to_trail(connection, "accounts", "disable" if disabled else "enable", username)
        if disabled:
            await AccessChanges.of(Settings()).add(connection, "account", username, "disabled")

    _with_seals(change, permit)
    if not disabled:
        _with_seals(lambda connection, _: AccessChanges.of(Settings()).add(connection, "account", username, "enabled"))
    done = Bilingual("عُطّل الحساب {}.", "Disabled {}.") if disabled else Bilingual("فُعّل الحساب {}.", "Enabled {}.")
    print_confirmation({"username": username, "disabled": disabled}, as_json, done.format(username))


def _of_sensitive(act: Act, username: str, break_glass: str | None) -> Asking:
    """Asks for an act on an account of the office or an administrator; other accounts need one person."""

    async def permit(connection: Connection, settings: Settings) -> Permit | None:
        roles = {row["username"]: row["role"] for row in await list_accounts(connection)}
        if roles.get(username) not in SENSITIVE_ROLES:
            return None
        asked = {"username": username, "role": roles[username]}
        return await ask(connection, settings, act, asked, break_glass)

    return permit


def _what_is_sealed(row: Row) -> dict[str, str | bool | None]:
    """What two people compare before a row gets its seal. The hash is that of the password's hash."""
    hashed = row["password_hash"]
    return {
        **{name: row[name] for name in ("username", "role", "oidc_subject")},
        "is_disabled": row["disabled_at"] is not None,
        "password_sha256": None if hashed is None else sha256(hashed.encode()).hexdigest(),
    }


def _with_seals(work: Callable[[Connection, Seals], Awaitable[Result]], permit: Asking | None = None) -> Result:
    """Do this as the administrator, in one transaction, which also uses the permit that was asked for before it."""
    settings = Settings()
    seals = Seals.of(settings)

    async def in_transaction(connection: Connection) -> Result:
        given = None if permit is None else await permit(connection, settings)
        async with connection.transaction():
            if given is not None:
                await given.use(connection)
            return await work(connection, seals)

    return with_database(settings.acting_as("administrator"), "accounts", in_transaction)
