"""A bundle is read back as the entries it was made of; and how many are read at once."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.log import reader
from infra.log.bundle import split_bundle


@given(st.lists(st.binary(max_size=300), max_size=40))
def test_a_bundle_splits_into_its_entries(entries: list[bytes]) -> None:
    assert split_bundle(b"".join(len(e).to_bytes(2, "big") + e for e in entries)) == entries


def test_the_longest_entry_has_65535_bytes() -> None:
    assert split_bundle(b"\xff\xff" + b"x" * 65_535) == [b"x" * 65_535]


@pytest.mark.parametrize(("entry_bytes", "most"), [(364, 8192), (59_653, 280)])
async def test_a_log_of_large_entries_is_read_in_batches_of_a_bounded_size(entry_bytes: int, most: int) -> None:
    limits: list[int] = []

    async def read(_: object, first: int, limit: int, __: int) -> list[bytes]:
        limits.append(limit)
        return [bytes(entry_bytes)] * limit

    end = 3 * 8192
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reader, "read_checked", read)
        connection: Any = None
        found = [(first, len(entries)) async for first, entries in reader.entry_batches(connection, 0, end)]
    assert [first for first, _ in found] == [sum(limits[:number]) for number in range(len(limits))]
    assert sum(limits) == end
    assert limits[0] == reader.READ_ENTRIES_MIN
    assert max(limits) <= most
    assert max(limits) * entry_bytes <= reader.READ_BYTES


class Log:
    """256 small entries, and large ones after them, in segments of 64."""

    size = 1024

    async def fetch(self, _: str, first: int, end: int, bytes_max: int = 1 << 60) -> list[tuple[int, bytes, bytes]]:
        found: list[tuple[int, bytes, bytes]] = []
        for start in range(first - first % 64, min(end, self.size), 64):
            if sum(len(data) for _, data, _ in found) >= bytes_max:
                break
            entry = bytes(10 if start < 256 else 1000)
            data = (len(entry).to_bytes(2, "big") + entry) * 64
            found.append((start, data, sha256(b"\x00" + entry).digest() * 64))
        return found


async def test_large_entries_after_small_ones_are_not_read_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "READ_BYTES", 100_000)
    log: Any = Log()
    found = [(first, len(entries)) async for first, entries in reader.entry_batches(log, 0, Log.size)]
    assert found == [(0, 256), *((first, 128) for first in range(256, Log.size, 128))]
