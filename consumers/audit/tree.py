"""Trust nobody: the whole tree is computed again from the entries and compared with what was signed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypedDict

from consumers.audit.port import LogPort, NotThere
from events.errors import Tampered
from infra.merkle import TileTree, leaf_hash

BATCH_ENTRIES: Final = 8192
Progress = Callable[[int, int], None]
"""Told (done, total) entries."""


class TreeReport(TypedDict):
    """Size and root (hex) of the checkpoint, and whether the entries give it."""

    size: int
    root: str
    ok: bool


class WrongTree(NotThere, Tampered):
    """The entries do not give what was signed: the log was changed after it was signed."""


async def verify_tree(port: LogPort, progress: Progress = lambda done, total: None) -> TreeReport:
    """Compute the tree of the newest checkpoint again. A bad signature or a damaged file raises its own error."""
    checkpoint = await port.checkpoint()
    report = TreeReport(size=checkpoint.size, root=checkpoint.root.hex(), ok=True)
    try:
        await require_tree(port, checkpoint.size, checkpoint.root, progress)
    except WrongTree:
        report["ok"] = False
    return report


async def require_tree(port: LogPort, size: int, root: bytes, progress: Progress = lambda done, total: None) -> None:
    """Raise `WrongTree`, naming the first place, unless entries, stored hashes and signed root all agree."""
    tree = TileTree()
    while tree.size < size:
        first = tree.size
        count = min(BATCH_ENTRIES, size - first)
        leaves = [leaf_hash(entry) for entry in await port.entries(first, count)]
        _require_equal(leaves, await port.hashes(0, first, count), 0, first)
        completed = tree.append(leaves)
        for level in sorted({level for level, _, _ in completed}):
            nodes = [(index, node) for at, index, node in completed if at == level]
            stored = await port.hashes(level, nodes[0][0], len(nodes))
            _require_equal([node for _, node in nodes], stored, level, nodes[0][0])
        progress(tree.size, size)
    if tree.root() != root:
        raise WrongTree(
            f"the {size} entries give the root {tree.root().hex()}, but {root.hex()} was signed: entries and hashes "
            "were changed together after signing"
        )


def _require_equal(computed: list[bytes], stored: list[bytes], level: int, first: int) -> None:
    for number, (ours, theirs) in enumerate(zip(computed, stored, strict=True), first):
        if ours != theirs:
            what = f"entry {number}" if level == 0 else f"hash {number} of level {level}"
            raise WrongTree(f"{what} does not agree with its stored hash: it was changed after it was written")
