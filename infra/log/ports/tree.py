"""Computes the whole tree again from the entries and compares it with the signed checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from events.errors import Tampered
from infra.log.layout import TILE, tile_of, tile_path
from infra.log.merkle import TileTree, leaf_hash
from infra.log.ports.port import LogPort, NotThere

BATCH_ENTRIES: Final = 8192
_HEAD: Final = b'{"recordedtime":"'
_HEAD_END: Final = b'Z","from":"'
_HEAD_BYTES: Final = len(_HEAD) + len("2026-11-25T08:00:00.000000") + len(_HEAD_END)
Progress = Callable[[int, int], None]
"""Called with the entries done and the total."""


class WrongTree(NotThere, Tampered):
    """The entries do not give what was signed: the log was changed after it was signed."""


class WrongTime(Tampered):
    """The recorded times of the log run backwards, or an entry has none: no registrar of this log wrote it so."""


async def require_tree(port: LogPort, size: int, root: bytes, progress: Progress = lambda done, total: None) -> None:
    """Raise `WrongTree` unless entries, stored hashes and signed root all agree, `WrongTime` for their recorded times.

    The error names the first wrong entry. If the entry's own hash was changed too, it names the range of entries under
    the first higher hash that does not agree.
    """
    tree, times = TileTree(), RecordedTimes()
    wrong_time: WrongTime | None = None
    mismatches: list[_Mismatch] = []
    while tree.size < size:
        first = tree.size
        entries = await port.entries(first, min(BATCH_ENTRIES, size - first))
        leaves = list(map(leaf_hash, entries))
        mismatches += await _mismatches(port, 0, first, leaves)
        completed = tree.append(leaves)
        for level in sorted({level for level, _, _ in completed}):
            nodes = [(index, node) for at, index, node in completed if at == level]
            mismatches += await _mismatches(port, level, nodes[0][0], [node for _, node in nodes])
        try:
            times.require(first, entries)
        except WrongTime as error:
            wrong_time = wrong_time or error
        progress(tree.size, size)
    if mismatches or tree.root() != root:
        raise WrongTree(_verdict(size, tree.root(), root, mismatches))
    if wrong_time is not None:  # of entries that are as they were signed
        raise wrong_time


class RecordedTimes:
    """Watches entries that are read in log order: each is of the log's form, and their times do not run backwards."""

    def __init__(self) -> None:
        self._next, self._last = 0, b""

    def require(self, first: int, entries: Sequence[bytes]) -> None:
        """Raise `WrongTime` at the first entry that is not so. Entries may be left out; a step back starts anew."""
        last = self._last if first >= self._next else b""
        heads = [entry[:_HEAD_BYTES] for entry in entries]
        if sorted([last, *heads]) != [last, *heads] or not all(map(_is_head, heads)):
            _refuse(first, last, heads)
        self._next, self._last = first + len(entries), heads[-1] if heads else last


def _is_head(head: bytes) -> bool:
    return head.startswith(_HEAD) and head.endswith(_HEAD_END)


def _refuse(first: int, last: bytes, heads: list[bytes]) -> None:
    for index, head in enumerate(heads, first):
        place = f"entry {index} ({tile_path('entries', index // TILE)})"
        if not _is_head(head):
            raise WrongTime(f"{place} does not begin with a recorded time: no registrar of this log wrote it")
        if head < last:
            ours, before = (text[len(_HEAD) : -len(_HEAD_END)].decode("ascii", "replace") for text in (head, last))
            raise WrongTime(f"{place} was recorded at {ours}Z, before an entry in front of it ({before}Z)")
        last = head


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
            f"stored hash {mismatch.number} of level {mismatch.level} was changed after it was written "
            f"({tile_of(mismatch.level, mismatch.number, size)}); the entries are as they were signed"
        )
    if mismatch.level == 0:
        files = f"{tile_of('entries', mismatch.number, size)}, {tile_of(0, mismatch.number, size)}"
        fault = "does not agree with its stored hash: it was changed after it was written"
        return f"entry {mismatch.number} {fault} ({files})"
    return (
        f"one of the entries {mismatch.first_entry} to {min(size - 1, mismatch.last_entry)} was changed together with "
        f"its stored hash: they do not give hash {mismatch.number} of level {mismatch.level} "
        f"({tile_of(mismatch.level, mismatch.number, size)}); a mirror shows which"
    )
