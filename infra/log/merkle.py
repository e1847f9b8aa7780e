"""The RFC 6962 Merkle tree over entry bytes, kept as C2SP tiles of 256 hashes.

A tree is kept as its right edge: per level, the roots of the complete 256^level subtrees that do not yet fill a tile
one level up. Appending leaves returns the roots that became complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from infra.log.layout import TILE

EMPTY_ROOT: Final = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def complete_root(hashes: Sequence[bytes]) -> bytes:
    """The root of hashes whose number is a power of two."""
    row = list(hashes)
    while len(row) > 1:
        row = [sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row), 2)]
    return row[0]


def complete_parts(hashes: Sequence[bytes]) -> list[bytes]:
    """Roots of the largest complete subtrees from the left: sizes are the binary digits of the number of hashes."""
    parts, start, count = [], 0, len(hashes)
    for power in reversed(range(count.bit_length())):
        width = 1 << power
        if count & width:
            parts.append(complete_root(hashes[start : start + width]))
            start += width
    return parts


class TileTree:
    """The right edge of the tree: `partial[level]` holds fewer than 256 hashes of complete 256^level subtrees."""

    def __init__(self, size: int = 0, partial: Iterable[Sequence[bytes]] = ()) -> None:
        self.size = size
        self.partial: list[list[bytes]] = [list(level) for level in partial]

    def copy(self) -> TileTree:
        return TileTree(self.size, self.partial)

    def append(self, leaves: Sequence[bytes]) -> list[tuple[int, int, bytes]]:
        """Add leaf hashes; returns the subtrees that became complete as (level ≥ 1, index in its level, root)."""
        self.size += len(leaves)
        completed: list[tuple[int, int, bytes]] = []
        hashes: Sequence[bytes] = leaves
        level = 0
        while hashes:
            if level == len(self.partial):
                self.partial.append([])
            row = self.partial[level]
            row += hashes
            first = (self.size >> 8 * (level + 1)) - len(row) // TILE
            roots = [complete_root(row[i : i + TILE]) for i in range(0, len(row) - TILE + 1, TILE)]
            del row[: len(roots) * TILE]
            level += 1
            completed += [(level, first + i, root) for i, root in enumerate(roots)]
            hashes = roots
        return completed

    def root(self) -> bytes:
        """The Merkle tree hash at the current size."""
        parts = [part for row in reversed(self.partial) for part in complete_parts(row)]
        if not parts:
            return EMPTY_ROOT
        root = parts.pop()
        while parts:
            root = node_hash(parts.pop(), root)
        return root
