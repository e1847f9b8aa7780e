"""Signed checkpoints: at most one per interval while the log grows, kept outside PostgreSQL before they are published.

The file beside the key is what makes a restored database notice that it is older than what the world has seen.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from consumers.registrar.journal import Journal
from infra.merkle import read_tree
from infra.note import Checkpoint, LogKey, parse_checkpoint
from infra.postgres import Connection
from infra.sql import queries
from infra.telemetry import count, gauge

CHECKPOINT_FILE: Final = "checkpoint"
_SQL: Final = queries("consumers.registrar", "registrar.sql")


class Fork(Exception):
    """The tree in the database does not continue the last signed checkpoint: nothing is signed."""


def read_last_checkpoint(folder: Path, key: LogKey) -> Checkpoint | None:
    """The checkpoint that is kept outside PostgreSQL, verified with the log's own key; None before the first."""
    try:
        note = (folder / CHECKPOINT_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return parse_checkpoint(note, key.verifier)


def write_checkpoint(folder: Path, note: str) -> None:
    """Replace the file atomically; it is on the disk when this returns."""
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


async def require_continuation(connection: Connection, last: Checkpoint | None, size: int) -> None:
    """Raise `Fork` unless the last signed checkpoint is a prefix of the tree of `size` entries."""
    if last is None:
        stored = await connection.fetchrow(_SQL["last_checkpoint"])
        if stored is not None:
            raise Fork(
                f"the database holds a checkpoint of size {stored['size']}, but the file kept beside the key is gone; "
                "put the file back from its copy"
            )
        return
    if last.size > size:
        raise Fork(
            f"a checkpoint of size {last.size} was signed, but the database holds {size} entries only "
            "(an older copy?); run `yesser recover`"
        )
    root = (await read_tree(connection, last.size)).root()
    if root != last.root:
        raise Fork(
            f"the first {last.size} entries in the database do not give the root that was signed "
            f"({root.hex()} instead of {last.root.hex()}); restore the database, then run `yesser recover`"
        )


class Signer:
    """Signs the committed tree of its journal's epoch."""

    def __init__(self, journal: Journal, key: LogKey, folder: Path, signed_size: int | None) -> None:
        self.journal = journal
        self.key = key
        self.folder = folder
        self.signed_size = signed_size

    async def sign(self) -> bool:
        """Sign the present size unless it is signed already; False when there was nothing to sign."""
        journal = self.journal
        async with journal.lock, journal.connection.transaction():
            size = journal.size
            if size == self.signed_size:
                return False
            await journal.hold()
            note = self.key.sign_checkpoint(size, journal.tree.root())
            write_checkpoint(self.folder, note)
            await journal.connection.execute(_SQL["add_checkpoint"], size, note)
        self.signed_size = size
        count("checkpoints_signed")
        gauge("checkpoint_size", size)
        return True
