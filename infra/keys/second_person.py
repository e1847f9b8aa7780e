"""What a command asks before an act that needs two people (docs/decisions/two-people-for-what-cannot-be-undone.md).

    permit = await ask(connection, settings, "erase", {"topic": topic, "offset": offset}, break_glass)
    async with connection.transaction():
        await permit.use(connection)
        …

`ask` raises where two administrators have still to confirm. An act outside of the database is done just after `use`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import click
import structlog

from events.errors import YesserError
from infra.command_line.database import with_database
from infra.keys.approvals import (
    VALID,
    Act,
    Administrators,
    administrators,
    canonical,
    digest_of,
    fault_of,
    in_force,
)
from infra.keys.seals import Seals
from infra.log.signed_note import InvalidKey
from infra.observability.logs import configure_logs
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, NoDatabase, NoPassword
from infra.postgres.sql import queries
from infra.postgres.trail import BREAK_GLASS, add_to_trail, operator
from infra.secret_files import ACCOUNTS_KEY
from infra.settings import Settings

_SQL: Final = queries("infra.keys", "approvals.sql")


class NeedsSecondPerson(YesserError):
    """Two administrators have to confirm this in the console; nothing was done."""


class NotASandbox(YesserError):
    """YESSER_SECOND_PERSON=off is for a sandbox only (`yesser sandbox up`): unset it, or use `auto` or `required`."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Why a command may act: nothing where the rule is not in force, else an approval, or a reason to act alone."""

    act: Act
    approval: Mapping[str, Any] | None = None
    reason: str | None = None

    async def use(self, connection: Connection) -> None:
        """Mark the approval as used and record who confirmed it, or the reason, in the caller's transaction.

        Raises `NeedsSecondPerson` where another command has used it meanwhile.
        """
        async with connection.transaction():
            if self.reason is not None:
                _warn(self.act)
                await add_to_trail(connection, BREAK_GLASS, f"{self.act}:", self.reason)
            elif (row := self.approval) is not None:
                if await connection.fetchval(_SQL["use"], row["approval_id"]) is None:
                    raise NeedsSecondPerson(f"approval {row['approval_id']} was used meanwhile; nothing was done.")
                confirmed = f"confirmed by {row['first_by']} and {row['second_by']}"
                await add_to_trail(connection, self.act, f"approval {row['approval_id']},", confirmed)


async def ask(
    connection: Connection, settings: Settings, act: Act, arguments: Mapping[str, Any], reason: str | None
) -> Permit:
    """What lets the command do `act` with these arguments; `reason` is that of `--break-glass`.

    To be called outside of a transaction: where no approval is good it files a request, unless one is open, and raises
    `NeedsSecondPerson`. Raises `NotASandbox`, and `InvalidKey` where the rule is in force and the accounts' key is not
    on this machine.
    """
    if reason is not None:
        return Permit(act, reason=reason)
    found = await can_confirm(connection, settings)
    if not is_in_force(settings, found):
        return Permit(act)
    seals, text = Seals.of(settings), canonical(arguments)
    digest = digest_of(act, text)
    rows = await connection.fetch(_SQL["unused"], digest)
    faults = {}
    for row in rows:
        faults[row["approval_id"]] = fault = fault_of(row, digest, row["now"], found.names, seals)
        if fault is None:
            return Permit(act, approval=row)
    request = next((row for row in rows if faults[row["approval_id"]] == "not-confirmed"), None)
    if request is None:
        request = await connection.fetchrow(_SQL["request"], act, text, digest, operator())
        assert request is not None
    raise NeedsSecondPerson(_what_to_do(settings, act, request["approval_id"], request["requested_at"]))


def permitted(settings: Settings, act: Act, arguments: Mapping[str, Any], reason: str | None) -> None:
    """The same for an act outside of the database, which follows at once. Raises like `ask`.

    Where the database cannot be reached nobody can be asked: only `--break-glass` acts, and is not in the trail.
    """

    async def ask_and_use(connection: Connection) -> None:
        await (await ask(connection, settings, act, arguments, reason)).use(connection)

    try:
        with_database(settings, "second person", ask_and_use)
    except (NoDatabase, NoPassword, *TRANSIENT_ERRORS) as error:
        if reason is None:
            raise
        _warn(act)
        click.echo(f"yesser: this is not in the trail, since the database cannot be reached: {error}", err=True)


async def can_confirm(connection: Connection, settings: Settings) -> Administrators:
    """The administrators by the accounts' rows, with their seals where the key is on this machine."""
    try:
        seals = Seals.of(settings)
    except InvalidKey:
        if settings.secret_path(*ACCOUNTS_KEY).exists():
            raise
        seals = None
    return administrators(await connection.fetch(_SQL["accounts"]), seals)


def is_in_force(settings: Settings, found: Administrators) -> bool:
    """Raises `NotASandbox`."""
    if settings.second_person == "off" and not settings.is_sandbox:
        raise NotASandbox(NotASandbox.__doc__)
    return in_force(settings.second_person, found.count)


def _warn(act: Act) -> None:
    configure_logs("warning", "break-glass")
    structlog.get_logger(__name__).warning("this act needs two people, and one did it", act=act)


def _what_to_do(settings: Settings, act: Act, approval_id: int, requested_at: datetime) -> str:
    until = requested_at + VALID
    return (
        f"this needs two people ({act}), and nothing was done. Two administrators confirm request {approval_id} within"
        f" 24 hours (until {until:%Y-%m-%d %H:%M} UTC) at {settings.console_link}/approvals. Then run the command"
        " again."
    )
