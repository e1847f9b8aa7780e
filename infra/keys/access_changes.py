"""What was taken from tokens and accounts, in a file beside the database, which a restored copy does not undo.

    {"time":"2026-11-30T06:00:00.000000+00:00","kind":"token","id":"abcdefghij","change":"revoked"}

Flows in: each change that `yesser tokens` and `yesser accounts` make, a line of `access/changes` in the home, synced
before the transaction ends. Flows out: what a restored database lacks, applied again (`reapply`) by `yesser recover`,
and by `yesser prepare` before any process starts. A line holds no secret and no personal data.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from infra.keys.resealing import begin_sealing
from infra.keys.seals import Seals
from infra.postgres.connection import Connection, NoPassword, connected
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail
from infra.secret_files import sync_folder
from infra.settings import Settings

Kind = Literal["token", "account"]
Made = Literal["added", "revoked", "disabled", "enabled", "password"]
_SQL: Final = queries("infra.keys", "access_changes.sql")


class Change(msgspec.Struct, frozen=True):
    """One change. `time` is the start of its transaction, by the database's clock."""

    time: datetime
    kind: Kind
    id: str
    change: Made


@dataclass(frozen=True, slots=True)
class AccessChanges:
    """The file of a home."""

    path: Path

    @classmethod
    def of(cls, settings: Settings) -> AccessChanges:
        return cls(settings.home / "access" / "changes")

    async def add(self, connection: Connection, kind: Kind, name: str, change: Made) -> None:
        """Append a change that is made in the caller's transaction, and sync it.

        To be called before the transaction ends where the change takes access, and after it where it gives access: what
        a crash leaves between the two is the safer of both.
        """
        line = msgspec.json.encode(Change(await connection.fetchval("SELECT now()"), kind, name, change)) + b"\n"
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":  # a crash cut the last line
                line = b"\n" + line
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(self.path.parent)

    def read(self) -> tuple[list[Change], list[int]]:
        """The changes, oldest first, and the numbers of lines that cannot be read. Raises `FileNotFoundError`."""
        found: list[Change] = []
        unreadable = []
        for number, line in enumerate(self.path.read_bytes().splitlines(), 1):
            try:
                found.append(msgspec.json.decode(line, type=Change))
            except msgspec.MsgspecError:
                unreadable.append(number)
        return found, unreadable


class Reapplied(msgspec.Struct):
    """What a database that is older than the file lacked.

    `revoked`, `disabled` and `without_password` were applied again. `changed` could not be: these accounts have not
    their seal, and sign nobody in. `missing` were made after the copy, `still_disabled` were enabled after it: a person
    makes and enables them again. `unreadable` are numbers of lines.
    """

    revoked: list[str] = []
    disabled: list[str] = []
    without_password: list[str] = []
    missing: list[str] = []
    still_disabled: list[str] = []
    changed: list[str] = []
    sessions_ended: int = 0
    unreadable: list[int] = []

    @property
    def applied(self) -> bool:
        return bool(self.revoked or self.disabled or self.without_password)


def lacking(
    changes: Sequence[Change], tokens: Mapping[str, datetime | None], accounts: Mapping[str, Mapping[str, Any]]
) -> Reapplied:
    """What the rows lack of the changes. `tokens`: key id → when it was revoked."""
    found = Reapplied()
    last: dict[tuple[Kind, str], Change] = {}
    passwords: dict[str, datetime] = {}
    for change in changes:
        if change.change == "password":
            passwords[change.id] = change.time
        else:
            last[change.kind, change.id] = change
    for (kind, name), change in last.items():
        rows: Mapping[str, Any] = tokens if kind == "token" else accounts
        if name not in rows:
            # What was taken since is no loss.
            if change.change in ("added", "enabled"):
                found.missing.append(f"{kind} {name}")
        elif kind == "token":
            if change.change == "revoked" and tokens[name] is None:
                found.revoked.append(name)
        elif change.change == "disabled" and accounts[name]["disabled_at"] is None:
            found.disabled.append(name)
        elif change.change == "enabled" and accounts[name]["disabled_at"] is not None:
            found.still_disabled.append(name)
    for name, time in passwords.items():
        row = accounts.get(name)
        if row is not None and row["password_hash"] is not None:
            set_at: datetime | None = row["password_set_at"]
            if set_at is None or set_at < time:
                found.without_password.append(name)
    return found


async def reapply(connection: Connection, settings: Settings, *, end_sessions: bool) -> Reapplied | None:
    """Apply again what the database lacks, in one transaction; None where the file is not here.

    `end_sessions`: all of them, also where nothing else was lacking. `connection` is the administrator's.
    """
    try:
        changes, unreadable = AccessChanges.of(settings).read()
    except FileNotFoundError:
        return None
    async with connection.transaction():
        await connection.execute(_SQL["lock"])
        await begin_sealing(connection)
        tokens = {row["key_id"]: row["revoked_at"] for row in await connection.fetch(_SQL["tokens"])}
        accounts = {row["username"]: dict(row) for row in await connection.fetch(_SQL["accounts"])}
        found = lacking(changes, tokens, accounts)
        found.unreadable = unreadable
        for key_id in found.revoked:
            await revoke(connection, key_id)
        times = {change.id: change.time for change in changes if change.change == "disabled"}
        if names := sorted({*found.disabled, *found.without_password}):
            seals = Seals.of(settings)
            for name in names:
                row = accounts[name]
                if not seals.is_account(row):  # a new seal would say that it is right
                    found.changed.append(name)
                    continue
                if name in found.disabled:
                    row["disabled_at"] = times[name]
                if name in found.without_password:
                    row["password_hash"], row["must_change_password"] = None, False
                changed = [row[member] for member in ("disabled_at", "password_hash", "must_change_password")]
                await connection.execute(_SQL["change_account"], name, *changed, seals.of_account(row))
        found.disabled = [name for name in found.disabled if name not in found.changed]
        found.without_password = [name for name in found.without_password if name not in found.changed]
        if end_sessions or found.applied:
            found.sessions_ended = int((await connection.execute(_SQL["end_sessions"])).rpartition(" ")[2])
        done = {"tokens revoke": found.revoked, "accounts disable": found.disabled}
        for words, names in (done | {"accounts password": found.without_password}).items():
            for name in names:
                await add_to_trail(connection, "recover", words, name)
    return found


async def reapply_at_start(settings: Settings) -> Reapplied | None:
    """The same before any process starts, where the administrator's password and the file are here."""
    if not AccessChanges.of(settings).path.exists():
        return None
    try:
        async with connected(settings.acting_as("administrator"), "access changes") as connection:
            return await reapply(connection, settings, end_sessions=False)
    except NoPassword:
        return None


async def revoke(connection: Connection, key_id: str) -> str | None:
    """Revoke a token in the caller's transaction; its holder, or None where there is none."""
    holder: str | None = await connection.fetchval(_SQL["revoke"], key_id)
    return holder
