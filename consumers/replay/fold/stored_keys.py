"""The keys that a replay may have stored. A replay starts empty, so almost every key that it requests is new."""

from __future__ import annotations

from collections.abc import Iterable
from mmap import mmap
from typing import Any, Final

from infra.postgres.unit_of_work import Key, Table, UnitOfWork


class StoredKeys:
    """A Bloom filter: an absent key needs no query.

    One bit per key is enough: with ten million rows one key in twenty-five is queried in vain, and a full filter only
    costs queries.
    """

    _BITS: Final = 1 << 28

    def __init__(self) -> None:
        self._bits = mmap(-1, self._BITS >> 3)  # a page of it costs memory once a key is added there

    def add(self, table: Table[Any], keys: Iterable[Key]) -> None:
        """Add the keys of stored rows."""
        bits, mask, salt = self._bits, self._BITS - 1, hash(table.name)
        for key in keys:
            bit = (hash(key) ^ salt) & mask
            bits[bit >> 3] |= 1 << (bit & 7)

    def note(self, rows: UnitOfWork) -> None:
        """Add the keys that a batch stores for the first time, as far as it knows."""
        for changes in rows.changes():
            self.add(changes.table, map(changes.table.key_of, [*changes.new, *changes.unread]))

    def add_all(self) -> None:
        """Let every key count as stored: which ones are is not known."""
        self._bits[:] = b"\xff" * len(self._bits)

    def maybe(self, table: Table[Any], keys: Iterable[Key]) -> list[Key]:
        """Those of `keys` that may be stored."""
        bits, mask, salt = self._bits, self._BITS - 1, hash(table.name)
        result = []
        for key in keys:
            bit = (hash(key) ^ salt) & mask
            if bits[bit >> 3] >> (bit & 7) & 1:
                result.append(key)
        return result
