"""Signed checkpoints: at most one per interval while the log grows, stored outside PostgreSQL before publication.

The file beside the key detects that a restored database is older than a published checkpoint.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Final

from consumers.registrar.journal import Journal
from events.errors import Fenced, Halt
from infra.log.merkle import read_tree
from infra.log.signed_note import KEY_FILE, Checkpoint, InvalidNote, LogKey, parse_checkpoint
from infra.observability.telemetry import count, gauge
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.settings import Settings

CHECKPOINT_FILE: Final = "checkpoint"
_SQL: Final = queries("consumers.registrar", "registrar.sql")


class Fork(Halt):
    """The tree in the database does not continue the last signed checkpoint: nothing is signed."""


def read_last_checkpoint(folder: Path, key: LogKey) -> Checkpoint | None:
    """The checkpoint stored outside PostgreSQL, verified with the log's key; None before the first."""
    path = folder / CHECKPOINT_FILE
    try:
        return parse_checkpoint(path.read_text(encoding="utf-8"), key.verifier)
    except FileNotFoundError:
        return None
    except (InvalidNote, UnicodeDecodeError) as error:
        raise Fork(
            f"{path} is not a checkpoint signed by this log's key ({error}); restore it from its backup, with its key"
        ) from error


def write_checkpoint(folder: Path, note: str) -> None:
    """Replace the file atomically and durably."""
    temporary = folder / f"{CHECKPOINT_FILE}.new"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(folder / CHECKPOINT_FILE)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


async def require_continuation(connection: Connection, key: LogKey, last: Checkpoint | None, size: int) -> None:
    """Raise `Fork` unless the last signed checkpoint is a prefix of the tree of `size` entries, under the same key."""
    stored = await connection.fetchrow(_SQL["last_checkpoint"])
    if stored is not None:
        _require_signed(stored["note"], key)
    if last is None:
        if stored is not None:
            raise Fork(
                f"the database holds a checkpoint of size {stored['size']}, but the file kept beside the key is gone; "
                "restore the file from its backup, with its key"
            )
        return
    if last.size > size:
        raise Fork(
            f"a checkpoint of size {last.size} was signed, but the database holds {size} entries only "
            "(an older backup?); run `yesser recover`"
        )
    try:
        root = (await read_tree(connection, last.size)).root()
    except LookupError as error:
        raise Fork(f"{error}; restore the database, then run `yesser recover`") from error
    if root != last.root:
        raise Fork(
            f"the first {last.size} entries in the database do not give the root that was signed "
            f"({root.hex()} instead of {last.root.hex()}); restore the database, then run `yesser recover`"
        )


def _require_signed(note: str, key: LogKey) -> None:
    try:
        parse_checkpoint(note, key.verifier)
    except InvalidNote as error:
        raise Fork(
            f"the newest checkpoint in the database was not signed with {KEY_FILE} ({error}): if the key is another"
            " log's, restore the whole folder from its backup; else someone wrote to the database"
        ) from error


class Signer:
    """Signs the committed tree under its journal's epoch. `signed_size` is the last checkpoint's, None before it."""

    def __init__(self, journal: Journal, key: LogKey, settings: Settings) -> None:
        self.journal = journal
        self.key = key
        self.folder = settings.log_folder
        self.interval_s = settings.checkpoint_interval_ms / 1000
        self.signed_size: int | None = None
        self._signed_at = float("-inf")

    async def go_on_from(self, last: Checkpoint | None) -> None:
        """Resume after the checkpoint stored outside, and add it to the database if it is missing there."""
        if last is None:
            return
        note = (self.folder / CHECKPOINT_FILE).read_text(encoding="utf-8")
        async with self.journal.lock, self.journal.connection.transaction():
            await self.journal.hold()
            await self.journal.connection.execute(_SQL["adopt_checkpoint"], last.size, note)
        self.signed_size = last.size

    async def sign(self) -> bool:
        """Sign the current size; False if it is already signed."""
        journal = self.journal
        async with journal.lock, journal.connection.transaction():
            size = journal.size
            if size == self.signed_size:
                return False
            await journal.hold()
            note = self.key.sign_checkpoint(size, journal.tree.root())
            self._keep_outside(size, note)
            await journal.connection.execute(_SQL["add_checkpoint"], size, note)
        self.signed_size = size
        self._signed_at = time.monotonic()
        count("checkpoints_signed")
        gauge("checkpoint_size", size)
        return True

    async def sign_when_due(self) -> bool:
        """Sign the current size once the interval since the last checkpoint is over."""
        if self.journal.size == self.signed_size:
            return False
        await asyncio.sleep(max(0.0, self._signed_at + self.interval_s - time.monotonic()))
        return await self.sign()

    def _keep_outside(self, size: int, note: str) -> None:
        """Write the file, but never over a newer one: an owner suspended after `hold` may be superseded."""
        kept = read_last_checkpoint(self.folder, self.key)
        if kept is not None and kept.size > size:
            raise Fenced(f"a checkpoint of size {kept.size} was signed while this owner, at {size}, was suspended")
        write_checkpoint(self.folder, note)
