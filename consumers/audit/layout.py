"""The C2SP tlog-tiles layout, as pure functions of level, number and tree size."""

from __future__ import annotations

from typing import Final, Literal

TILE: Final = 256
"""Hashes in a full tile and entries in a full bundle."""

HASH_BYTES: Final = 32
CHECKPOINT: Final = "checkpoint"
Kind = int | Literal["entries"]
"""A tile's level, or the bundles of entries."""


def tile_path(kind: Kind, number: int, width: int = TILE) -> str:
    """`tile/<level>/<number>[.p/<width>]`; 1234067 is written `x001/x234/067`."""
    groups = []
    rest = number
    while True:
        groups.append(f"{rest % 1000:03d}")
        rest //= 1000
        if rest == 0:
            break
    name = "/".join([f"x{group}" for group in reversed(groups[1:])] + groups[:1])
    return f"tile/{kind}/{name}" + ("" if width == TILE else f".p/{width}")


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
