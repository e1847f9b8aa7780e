"""The C2SP tlog-tiles layout, as pure functions of level, number and tree size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

TILE: Final = 256
"""Hashes in a full tile and entries in a full bundle (C2SP tlog-tiles)."""

HASH_BYTES: Final = 32
CHECKPOINT: Final = "checkpoint"
NEWEST_CHECKPOINT: Final = "checkpoint.newest"
"""The newest checkpoint, also where witnesses have yet to cosign it; our addition to the layout."""
KEY_HISTORY: Final = "keys"
"""The rotations of the log's key, as signed notes; our addition to the layout."""
Kind = int | Literal["entries"]
"""A tile's level, or the bundles of entries."""

LEVEL_MAX: Final = 63
_PATH: Final = re.compile(
    r"tile/(?P<kind>0|[1-9][0-9]?|entries)/(?P<name>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[0-9]{1,3}))?"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile, or one bundle of entries: `width` hashes or entries from `number * 256` on."""

    kind: Kind
    number: int
    width: int = TILE

    @property
    def level(self) -> int:
        """The level in which `number` counts: bundles are beside the leaves."""
        return 0 if self.kind == "entries" else int(self.kind)

    def is_within(self, size: int) -> bool:
        """Whether a tree of `size` entries has all hashes or entries of this tile."""
        return self.number * TILE + self.width <= hashes_at(self.level, size)


def tile_path(kind: Kind, number: int, width: int = TILE) -> str:
    """`tile/<level>/<number>[.p/<width>]`; 1234067 is written `x001/x234/067`."""
    return f"tile/{kind}/{_name(number)}" + ("" if width == TILE else f".p/{width}")


def texts_path(number: int) -> str:
    """The file of the texts beside a bundle, which is the same whatever the bundle's width; our addition."""
    return f"texts/{_name(number)}"


def _name(number: int) -> str:
    groups = []
    rest = number
    while True:
        groups.append(f"{rest % 1000:03d}")
        rest //= 1000
        if rest == 0:
            break
    return "/".join([f"x{group}" for group in reversed(groups[1:])] + groups[:1])


def tile_of(kind: Kind, index: int, size: int) -> str:
    """The path, in a tree of `size` entries, of the tile that has the hash or entry at `index` of its level."""
    number = index // TILE
    level = 0 if kind == "entries" else kind
    return tile_path(kind, number, min(TILE, max(1, hashes_at(level, size) - number * TILE)))


def parse_tile_path(path: str) -> Tile | None:
    """The tile of a path as `tile_path` writes it, else None."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    kind: Kind = "entries" if match["kind"] == "entries" else int(match["kind"])
    number = int(match["name"].replace("/", "").replace("x", ""))
    width = TILE if match["width"] is None else int(match["width"])
    tile = Tile(kind, number, width)
    is_one = tile.level <= LEVEL_MAX and 0 < width <= TILE and tile_path(kind, number, width) == path
    return tile if is_one else None


def split_hashes(data: bytes) -> list[bytes]:
    return [data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)]


def hashes_at(level: int, size: int) -> int:
    """Number of complete subtrees of 256^level leaves in a tree of `size` leaves."""
    return size >> 8 * level


def tiles_at(level: int, size: int) -> list[tuple[int, int]]:
    """`(number, width)` of each tile of a level; only the last may be partial, and none is empty."""
    full, rest = divmod(hashes_at(level, size), TILE)
    return [(n, TILE) for n in range(full)] + ([(full, rest)] if rest else [])


def levels_of(size: int) -> int:
    """Number of levels that have tiles."""
    level = 0
    while hashes_at(level, size):
        level += 1
    return level
