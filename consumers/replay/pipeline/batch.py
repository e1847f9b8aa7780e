"""Consecutive entries, parsed and hashed once for every consumer of a process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from aiokafka import ConsumerRecord

from events.errors import Halt
from events.wire.entry import Entry, parse_entry
from infra.log.older_copy import older_copy


class LeafMismatch(Halt):
    """An entry is not the one that is in the log's tree: nothing of its batch is applied."""


@dataclass(slots=True)
class Batch:
    """Entries from `first_index` on.

    `leaves` are the hashes of their bytes, 32 bytes each; None if they were compared with the log when they were read.
    `size_bytes` is that of the entries' bytes, `traces` are those of their events.
    """

    first_index: int
    entries: list[Entry]
    leaves: bytes | None
    size_bytes: int
    traces: list[str] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.first_index + len(self.entries)

    def extended(self, later: Batch) -> Batch:
        """This batch and `later`, which begins at its end. Both stay as they are: other consumers have them too."""
        assert self.leaves is not None
        assert later.leaves is not None
        return Batch(
            self.first_index,
            self.entries + later.entries,
            self.leaves + later.leaves,
            self.size_bytes + later.size_bytes,
            sorted({*self.traces, *later.traces}),
        )

    def part(self, start: int, end: int) -> Batch:
        """Its entries from the `start`-th up to the `end`-th; `size_bytes` by their share."""
        entries = self.entries[start:end]
        leaves = None if self.leaves is None else self.leaves[32 * start : 32 * end]
        size = self.size_bytes * len(entries) // max(1, len(self.entries))
        return Batch(self.first_index + start, entries, leaves, size, self.traces)

    def check(self, leaves: bytes) -> None:
        """Raise `LeafMismatch` unless each entry hashes to the log's leaf; a shorter log has fewer `leaves`."""
        own = self.leaves
        if own is None or own == leaves:
            return
        for number in range(len(self.entries)):
            if 32 * number == len(leaves):
                size = self.first_index + number
                raise LeafMismatch(older_copy(f"the log's topic holds index {size}", size))
            if own[32 * number : 32 * number + 32] != leaves[32 * number : 32 * number + 32]:
                index = self.first_index + number
                raise LeafMismatch(f"the entry that came as index {index} is not the one in the log's tree")
        raise LeafMismatch(f"there are more leaves than entries from index {self.first_index} on")


def parse_records(records: Sequence[ConsumerRecord]) -> list[Batch]:
    """Records of the log's topic as runs of consecutive indexes; a repeat begins a new run.

    Raises `LeafMismatch` for a record that is not an entry.
    """
    runs: list[tuple[int, list[Entry], list[bytes]]] = []
    expected = -1
    entries: list[Entry] = []
    raw: list[bytes] = []
    for record in records:
        try:
            index = int(record.headers[0][1])  # the registrar writes `index` first, then `leaf`
            entry = parse_entry(index, record.value)
        except (ValueError, LookupError, TypeError) as error:
            raise LeafMismatch(
                f"the record at offset {record.offset} of {record.topic} is no entry of the log"
            ) from error
        if index != expected:
            entries, raw = [], []
            runs.append((index, entries, raw))
        entries.append(entry)
        raw.append(record.value)
        expected = index + 1
    return [Batch(first, entries, _leaves(raw), sum(map(len, raw))) for first, entries, raw in runs]


def _leaves(raw: Sequence[bytes]) -> bytes:
    return b"".join([sha256(b"\x00" + entry).digest() for entry in raw])
