"""Reads parts of a log that is not trusted: every hash and entry is believed only once it leads to the signed root.

The right edge of the tree gives the root; the root of each full tile below must be a hash that is believed already.
Nothing but the tiles above what is read has to be fetched.
"""

from __future__ import annotations

from typing import Final

from cachetools import LRUCache

from infra.log.layout import TILE, levels_of, tile_of, tile_path
from infra.log.merkle import TileTree, complete_root, leaf_hash
from infra.log.ports.port import LogPort
from infra.log.ports.tree import RecordedTimes, WrongTree
from infra.log.signed_note import Checkpoint

TILES_AT_ONCE: Final = 128


class AuthenticatedLog:
    """The entries and hashes under one checkpoint."""

    def __init__(self, port: LogPort, checkpoint: Checkpoint) -> None:
        self._port = port
        self.size = checkpoint.size
        self._root = checkpoint.root
        self._edge: list[list[bytes]] | None = None
        self._believed: LRUCache[tuple[int, int], list[bytes]] = LRUCache(2 * TILES_AT_ONCE)
        self._times = RecordedTimes()

    async def entries(self, first: int, count: int) -> list[bytes]:
        """As of a `LogPort`. Raises `WrongTree` at the first entry that was not signed so, and `WrongTime`."""
        entries = await self._port.entries(first, count)
        signed = await self.hashes(0, first, len(entries))
        computed = list(map(leaf_hash, entries))
        if computed != signed:
            index = first + next(n for n in range(len(entries)) if computed[n] != signed[n])
            raise WrongTree(
                f"entry {index} is not the one that was signed: its bytes were changed "
                f"({tile_of('entries', index, self.size)})"
            )
        self._times.require(first, entries)
        return entries

    async def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        """As of a `HashPort`, each of them believed. Raises `WrongTree`."""
        start, stop = first // TILE, -(-(first + count) // TILE)
        hashes: list[bytes] = []
        for number in range(start, stop, TILES_AT_ONCE):
            for tile in await self._tiles(level, number, min(stop, number + TILES_AT_ONCE)):
                hashes += tile
        skipped = first - start * TILE
        return hashes[skipped : skipped + count]

    async def _tiles(self, level: int, start: int, stop: int) -> list[list[bytes]]:
        """The tiles `start … stop - 1` of a level, the partial one included."""
        full = self.size >> 8 * level >> 8
        wanted = range(start, min(stop, full))
        tiles = {number: tile for number in wanted if (tile := self._believed.get((level, number))) is not None}
        unknown = [number for number in wanted if number not in tiles]
        if unknown:
            tiles |= await self._proven(level, unknown[0], unknown[-1] + 1)
        self._believed.update({(level, number): tile for number, tile in tiles.items()})
        edge = [(await self._believed_edge())[level]] if stop > full else []
        return [*(tiles[number] for number in wanted), *edge]

    async def _proven(self, level: int, start: int, stop: int) -> dict[int, list[bytes]]:
        """Full tiles by number, read at once. Raises `WrongTree` for one whose root is not the hash above it."""
        hashes = await self._port.hashes(level, start * TILE, (stop - start) * TILE)
        tiles = {number: hashes[(number - start) * TILE : (number - start + 1) * TILE] for number in range(start, stop)}
        for number, root in enumerate(await self.hashes(level + 1, start, stop - start), start):
            if complete_root(tiles[number]) != root:
                raise WrongTree(f"{tile_path(level, number)} does not lead to the signed root: its hashes were changed")
        return tiles

    async def _believed_edge(self) -> list[list[bytes]]:
        """The partial tiles, one for each level. Raises `WrongTree` unless they give the signed root."""
        if self._edge is None:
            edge = []
            for level in range(levels_of(self.size)):
                full, rest = divmod(self.size >> 8 * level, TILE)
                edge.append(await self._port.hashes(level, full * TILE, rest) if rest else [])
            computed = TileTree(self.size, edge).root()
            if computed != self._root:
                tiles = [tile_of(level, self.size >> 8 * level, self.size) for level, row in enumerate(edge) if row]
                raise WrongTree(
                    f"the tiles at the right edge ({', '.join(tiles)}) give the root {computed.hex()}, but "
                    f"{self._root.hex()} was signed: hashes were changed, or another history is shown"
                )
            self._edge = edge
        return self._edge
