"""A small log in memory behind the auditor's port, signed with a key of its own."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256

from events.wire.entry import entry_bytes, recorded_time
from infra.log.key_history import KeyHistory
from infra.log.layout import TILE
from infra.log.merkle import TileTree, leaf_hash
from infra.log.ports.bundle_texts import BundleText
from infra.log.ports.port import LogPort
from infra.log.ports.tree import require_tree
from infra.log.signed_note import Checkpoint, LogKey

KEY = LogKey("log.example/0", bytes(range(32)))
FIRST_RECORDED = datetime(2026, 11, 25, 8, tzinfo=UTC)


def sample_entries(count: int) -> list[bytes]:
    """Distinct entries of different lengths, recorded a millisecond apart."""
    return [sample_entry(i, FIRST_RECORDED + i * timedelta(milliseconds=1)) for i in range(count)]


def sample_entry(number: int, recorded: datetime = FIRST_RECORDED) -> bytes:
    """An entry of the log's form; what is in it is no event."""
    event = f'{{"n":{number},"fill":"{"x" * (number % 7)}"}}'
    return entry_bytes(recorded_time(recorded), f"agency.health.events/0/{number}", event.encode())


class MemoryLog:
    """Entries and hashes in lists. Tests may change either behind the signature's back."""

    def __init__(self, entries: list[bytes], signed_size: int | None = None) -> None:
        self.stored = list(entries)
        self.levels: list[list[bytes]] = [[leaf_hash(entry) for entry in entries]]
        for level, _, node in sorted(TileTree().append(self.levels[0])):
            if level == len(self.levels):
                self.levels.append([])
            self.levels[level].append(node)
        size = len(entries) if signed_size is None else signed_size
        self.root = root_of(entries[:size])
        self.history = KeyHistory((KEY.verifier,))
        self.note = KEY.sign_checkpoint(size, self.root)
        self.stored_texts: list[BundleText] = []

    def copy(self) -> MemoryLog:
        """A log that can be changed apart from this one."""
        other = copy.copy(self)
        other.stored, other.levels = [*self.stored], [[*hashes] for hashes in self.levels]
        return other

    async def checkpoint(self) -> Checkpoint:
        return self.history.parse_checkpoint(self.note)

    async def keys(self) -> KeyHistory:
        return self.history

    async def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        found = self.levels[level][first : first + count]
        assert len(found) == count
        return found

    async def entries(self, first: int, count: int) -> list[bytes]:
        found = self.stored[first : first + count]
        assert len(found) == count
        return found

    async def texts(self, number: int) -> list[BundleText]:
        return [text for text in self.stored_texts if text.index // TILE == number]


@cache
def large_log() -> MemoryLog:
    """A log whose tree has three levels of tiles: made once, so a test changes only a copy."""
    return MemoryLog(sample_entries(66_000))


def root_of(entries: list[bytes]) -> bytes:
    """RFC 6962 §2.1, as it is written there."""
    if len(entries) < 2:
        return leaf_hash(entries[0]) if entries else sha256(b"").digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return sha256(b"\x01" + root_of(entries[:split]) + root_of(entries[split:])).digest()


async def verified(port: LogPort) -> int:
    """The size of the tree that this port shows whole."""
    checkpoint = await port.checkpoint()
    await require_tree(port, checkpoint.size, checkpoint.root)
    return checkpoint.size
