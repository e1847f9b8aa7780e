"""A bundle is read back as the entries it was made of; and how many are read at once."""

from __future__ import annotations

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

    async def read(_: object, first: int, limit: int) -> list[bytes]:
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
