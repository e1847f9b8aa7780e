"""Inclusion and consistency proofs (RFC 6962, RFC 9162).

In: hashes by tile level from a `HashPort`. Out: a list of hashes, leaf to root. Verifying needs only the proof and
signed roots, not the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from infra.log.merkle import EMPTY_ROOT, complete_root, node_hash

PROOF_PREFIX: Final = "/v1/proofs/"
"""The gateway's path of proofs, before the index."""


class HashPort(Protocol):
    """The source of the hashes that proofs are made of."""

    async def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        """Roots of the complete subtrees of 256^level leaves `first … first + count - 1`. Raises if one is missing."""


async def tree_root(port: HashPort, size: int) -> bytes:
    """MTH of the first `size` leaves."""
    return await range_root(port, 0, size) if size else EMPTY_ROOT


async def range_root(port: HashPort, begin: int, end: int) -> bytes:
    """MTH(D[begin:end]) of a range that RFC 6962 splits off: `begin` is a multiple of its largest part."""
    parts = [await _complete(port, start, power) for start, power in _complete_parts(begin, end)]
    root = parts.pop()
    while parts:
        root = node_hash(parts.pop(), root)
    return root


async def inclusion_proof(port: HashPort, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 §2.1.1."""
    if not 0 <= index < size:
        raise ValueError(f"entry {index} is not in a tree of {size} entries")
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        split = begin + _split(end - begin)
        if index < split:
            path.append(await range_root(port, split, end))
            end = split
        else:
            path.append(await range_root(port, begin, split))
            begin = split
    return path[::-1]


async def consistency_proof(port: HashPort, old_size: int, new_size: int) -> list[bytes]:
    """PROOF(old_size, D[new_size]) of RFC 6962 §2.1.2; empty from size 0 and for equal sizes."""
    if not 0 <= old_size <= new_size:
        raise ValueError(f"a tree of {new_size} entries does not continue one of {old_size}")
    if old_size in (0, new_size):
        return []
    path: list[bytes] = []
    begin, end = 0, new_size
    while old_size != end:
        split = begin + _split(end - begin)
        if old_size <= split:
            path.append(await range_root(port, split, end))
            end = split
        else:
            path.append(await range_root(port, begin, split))
            begin = split
    # Where the old tree is the left edge, the verifier has its root.
    if begin > 0:
        path.append(await range_root(port, begin, end))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the leaf hash is at `index` in the tree of this size and root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, computed = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            computed = node_hash(step, computed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            computed = node_hash(computed, step)
        at, last = at >> 1, last >> 1
    return last == 0 and computed == root


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the new tree continues the old one (RFC 9162 §2.1.4.2). Any tree continues the empty one."""
    if old_size == 0:
        return old_root == EMPTY_ROOT and not path
    if old_size == new_size:
        return old_root == new_root and not path
    if not 0 < old_size < new_size:
        return False
    steps = list(path)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, step)
        at, last = at >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _split(count: int) -> int:
    """The largest power of two smaller than `count` (≥ 2)."""
    return 1 << (count - 1).bit_length() - 1


def _complete_parts(begin: int, end: int) -> list[tuple[int, int]]:
    """`(start, power)` of the complete subtrees of 2^power leaves of a range, from the left."""
    parts = []
    count = end - begin
    for power in reversed(range(count.bit_length())):
        if count >> power & 1:
            parts.append((begin, power))
            begin += 1 << power
    return parts


async def _complete(port: HashPort, start: int, power: int) -> bytes:
    """Root of a complete subtree, from the tile row just below it."""
    level, width = divmod(power, 8)
    return complete_root(await port.hashes(level, start >> 8 * level, 1 << width))
