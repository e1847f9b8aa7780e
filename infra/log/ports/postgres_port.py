"""The auditor's read port on the log in PostgreSQL."""

from __future__ import annotations

from typing import Final

from infra.log.key_history import KeyHistory
from infra.log.layout import TILE
from infra.log.ports.bundle_texts import BundleText
from infra.log.ports.port import NotThere, whole
from infra.log.reader import (
    ChangedEntry,
    newest_checkpoint,
    read_checked,
    read_rotations,
    read_unchecked,
    stored_hashes,
)
from infra.log.signed_note import Checkpoint, Verifier
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("infra.log", "reader.sql")


class PostgresPort:
    """The log in PostgreSQL."""

    def __init__(self, connection: Connection, verifier: Verifier) -> None:
        self._connection = connection
        self._verifier = verifier
        self._history: KeyHistory | None = None

    async def checkpoint(self) -> Checkpoint:
        newest = await newest_checkpoint(self._connection)
        if newest is None:
            raise NotThere("there is no checkpoint yet: start the registrar (`yesser up`), which signs within a second")
        history = await self._keys()
        checkpoint = history.parse_checkpoint(newest[1])
        self._history = history
        return checkpoint

    async def keys(self) -> KeyHistory:
        return self._history or await self._keys()

    async def _keys(self) -> KeyHistory:
        return KeyHistory.of(self._verifier, await read_rotations(self._connection))

    async def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        return whole(
            await stored_hashes(self._connection, level, first, count), count, f"hashes of level {level}", first
        )

    async def entries(self, first: int, count: int) -> list[bytes]:
        try:
            entries = await read_unchecked(self._connection, first, count)
        except ChangedEntry:  # as of a bundle: its hashes show the first wrong entry
            entries = await read_checked(self._connection, first, count)
        return entries or whole(entries, count, "entries", first)

    async def texts(self, number: int) -> list[BundleText]:
        return await stored_texts(self._connection, number * TILE, (number + 1) * TILE)


async def stored_texts(connection: Connection, first: int, end: int) -> list[BundleText]:
    """The texts of the entries `first … end - 1`, in log order."""
    rows = await connection.fetch(_SQL["bundle_texts"], first, end)
    return [BundleText(**{name: value for name, value in row.items() if value is not None}) for row in rows]
