"""Reads checkpoint, tiles and bundles from the database.

What is not signed yet is not served: a tile is there once the newest checkpoint covers it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from consumers.audit.layout import TILE, Tile
from infra.http.routes import RouteParts
from infra.log.reader import newest_checkpoint, raw_bundle, stored_hashes
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

CHECKPOINT_AGE_S: Final = 1.0
"""A checkpoint is served for this long before the database is asked for a newer one."""
_SQL: Final = queries("consumers.tiles", "tiles.sql")


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest checkpoint, when it was read, and the one that enough witnesses cosigned (else the same)."""

    note: str
    size: int
    cosigned: str
    read_at_s: float


class TileSource:
    """The log's files by their tlog-tiles names. `clock` is monotonic, in seconds."""

    def __init__(self, parts: RouteParts, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._clock = clock
        self._newest: Newest | None = None

    async def checkpoint(self) -> Newest | None:
        """The newest checkpoint, at most `CHECKPOINT_AGE_S` old; None before the first."""
        if self._newest is None or self._clock() - self._newest.read_at_s >= CHECKPOINT_AGE_S:
            async with self._parts.connection() as connection:
                await self._refresh(connection)
        return self._newest

    async def read(self, tile: Tile) -> bytes | None:
        """The bytes of a tile or bundle; None if no checkpoint covers it, or rows of it are missing."""
        async with self._parts.connection() as connection:
            if not self._is_signed(tile):
                await self._refresh(connection)  # another process may have served a newer checkpoint
            if not self._is_signed(tile):
                return None
            if tile.kind == "entries":
                try:
                    return await raw_bundle(connection, tile.number, tile.width)
                except IndexError:
                    return None
            found = await stored_hashes(connection, tile.level, tile.number * TILE, tile.width)
            return b"".join(found) if len(found) == tile.width else None

    def _is_signed(self, tile: Tile) -> bool:
        return self._newest is not None and tile.is_within(self._newest.size)

    async def _refresh(self, connection: Connection) -> None:
        cosigned = await connection.fetchval(_SQL["cosigned"])
        found = await newest_checkpoint(connection)
        if found is not None:
            self._newest = Newest(found[1], found[0], cosigned or found[1], self._clock())
