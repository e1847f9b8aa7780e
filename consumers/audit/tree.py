"""Computes the whole tree again from the entries and compares it with the signed checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from consumers.audit.port import LogPort, NotThere
from events.errors import Tampered
from infra.log.key_history import KeyHistory, key_name
from infra.log.merkle import TileTree, leaf_hash
from infra.log.proofs import tree_root

BATCH_ENTRIES: Final = 8192
Progress = Callable[[int, int], None]
"""Called with the entries done and the total."""


class WrongTree(NotThere, Tampered):
    """The entries do not give what was signed: the log was changed after it was signed."""


async def require_tree(port: LogPort, size: int, root: bytes, progress: Progress = lambda done, total: None) -> None:
    """Raise `WrongTree` unless entries, stored hashes and signed root all agree.

    The error names the first wrong entry. If the entry's own hash was changed too, it names the range of entries under
    the first higher hash that does not agree.
    """
    tree = TileTree()
    mismatches: list[_Mismatch] = []
    while tree.size < size:
        first = tree.size
        leaves = [leaf_hash(entry) for entry in await port.entries(first, min(BATCH_ENTRIES, size - first))]
        mismatches += await _mismatches(port, 0, first, leaves)
        completed = tree.append(leaves)
        for level in sorted({level for level, _, _ in completed}):
            nodes = [(index, node) for at, index, node in completed if at == level]
            mismatches += await _mismatches(port, level, nodes[0][0], [node for _, node in nodes])
        progress(tree.size, size)
    if mismatches or tree.root() != root:
        raise WrongTree(_verdict(size, tree.root(), root, mismatches))


async def require_rotations(port: LogPort, history: KeyHistory, size: int) -> None:
    """Raise `WrongTree` unless each rotation of the log's key up to `size` names the root of this log."""
    for step in history.transitions:
        if step.tree is not None and step.size <= size and await tree_root(port, step.size) != step.tree[1]:
            raise WrongTree(
                f"the first {step.size} entries do not give the root at which the key {key_name(step.new)} took over: "
                "keep everything, and find out who signed two histories"
            )


@dataclass(frozen=True, slots=True)
class _Mismatch:
    """A stored hash that differs from the computed one: a leaf (level 0), or the root of 256^level entries."""

    level: int
    number: int

    @property
    def first_entry(self) -> int:
        return self.number << 8 * self.level

    @property
    def last_entry(self) -> int:
        return (self.number + 1 << 8 * self.level) - 1

    def is_above(self, other: _Mismatch) -> bool:
        return self.level > other.level and self.first_entry <= other.first_entry <= self.last_entry


async def _mismatches(port: LogPort, level: int, first: int, computed: list[bytes]) -> list[_Mismatch]:
    """The first hash of a row that does not agree, if any."""
    stored = await port.hashes(level, first, len(computed))
    if stored == computed:
        return []
    numbered = enumerate(zip(computed, stored, strict=True), first)
    return [_Mismatch(level, next(number for number, (ours, theirs) in numbered if ours != theirs))]


def _verdict(size: int, computed: bytes, signed: bytes, mismatches: list[_Mismatch]) -> str:
    """What was changed first. A hash above a wrong leaf is wrong because of it and is not reported."""
    if not mismatches:
        return (
            f"the {size} entries give the root {computed.hex()}, but {signed.hex()} was signed: entries and hashes "
            "were changed together after signing; a mirror shows which"
        )
    mismatch = min(
        (d for d in mismatches if not any(d.is_above(other) for other in mismatches)),
        key=lambda mismatch: mismatch.first_entry,
    )
    if computed == signed:
        return (
            f"stored hash {mismatch.number} of level {mismatch.level} was changed after it was written; "
            "the entries are as they were signed"
        )
    if mismatch.level == 0:
        return f"entry {mismatch.number} does not agree with its stored hash: it was changed after it was written"
    return (
        f"one of the entries {mismatch.first_entry} to {min(size - 1, mismatch.last_entry)} was changed together with "
        f"its stored hash: they do not give hash {mismatch.number} of level {mismatch.level}; a mirror shows which"
    )
