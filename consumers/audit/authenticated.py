"""Reads parts of a log that is not trusted: every hash and entry is believed only once it leads to the signed root.

The right edge of the tree gives the root; the root of each full tile below must be a hash that is believed already.
Nothing but the tiles above what is read has to be fetched.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from consumers.audit.layout import TILE, levels_of, tile_path
from consumers.audit.port import LogPort
from consumers.audit.tree import WrongTree
from infra.log.merkle import TileTree, complete_root, leaf_hash
from infra.log.signed_note import Checkpoint

KEPT_TILES: Final = 256


class AuthenticatedLog:
    """The entries under one checkpoint."""

    def __init__(self, port: LogPort, checkpoint: Checkpoint) -> None:
        self._port = port
        self.size = checkpoint.size
        self._root = checkpoint.root
        self._edge: list[list[bytes]] | None = None
        self._kept: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()

    async def entries(self, first: int, count: int) -> list[bytes]:
        """The entries `first … first + count - 1`. Raises `WrongTree` at the first that was not signed so."""
        found = await self._port.entries(first, count)
        for index, entry in enumerate(found, first):
            if leaf_hash(entry) != await self._hash(0, index):
                raise WrongTree(f"entry {index} is not the one that was signed: its bytes were changed")
        return found

    async def _hash(self, level: int, index: int) -> bytes:
        return (await self._tile(level, index // TILE))[index % TILE]

    async def _tile(self, level: int, number: int) -> list[bytes]:
        """A tile of believed hashes."""
        if number == self.size >> 8 * level >> 8:
            return (await self._believed_edge())[level]
        tile = self._kept.get((level, number))
        if tile is None:
            tile = await self._port.hashes(level, number * TILE, TILE)
            if complete_root(tile) != await self._hash(level + 1, number):
                raise WrongTree(f"{tile_path(level, number)} does not lead to the signed root: its hashes were changed")
            self._kept[level, number] = tile
            if len(self._kept) > KEPT_TILES:
                self._kept.popitem(last=False)
        return tile

    async def _believed_edge(self) -> list[list[bytes]]:
        """The partial tiles, one for each level. Raises `WrongTree` unless they give the signed root."""
        if self._edge is None:
            edge = []
            for level in range(levels_of(self.size)):
                full, rest = divmod(self.size >> 8 * level, TILE)
                edge.append(await self._port.hashes(level, full * TILE, rest) if rest else [])
            computed = TileTree(self.size, edge).root()
            if computed != self._root:
                raise WrongTree(
                    f"the tree's right edge gives the root {computed.hex()}, but {self._root.hex()} was signed"
                )
            self._edge = edge
        return self._edge
