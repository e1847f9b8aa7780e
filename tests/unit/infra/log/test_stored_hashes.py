"""A proof from the database is that of the tree, and reads each tile once."""

from __future__ import annotations

from typing import Any, cast

import pytest

from infra.log import reader
from infra.log.proofs import consistency_proof, inclusion_proof
from infra.log.reader import StoredHashes
from infra.postgres.connection import Connection
from tests.every import every
from tests.world.memory_log import MemoryLog, sample_entries

LOG = MemoryLog(sample_entries(1100))
NO_CONNECTION = cast(Connection, None)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What is read: level and first hash."""
    found: list[tuple[int, int]] = []

    async def stored(_: Any, level: int, first: int, count: int) -> list[bytes]:
        found.append((level, first))
        return LOG.levels[level][first : first + count]

    monkeypatch.setattr(reader, "stored_hashes", stored)
    return found


@every("size", [1, 255, 256, 257, 700, 1024, 1100])
async def test_each_tile_is_read_once(read: list[tuple[int, int]], size: int) -> None:
    for index in {0, size // 3, size - 1}:
        read.clear()
        proof = await inclusion_proof(StoredHashes(NO_CONNECTION), index, size)
        assert proof == await inclusion_proof(LOG, index, size)
        assert len(read) == len(set(read)) <= 3
        proof = await consistency_proof(StoredHashes(NO_CONNECTION), index, size)
        assert proof == await consistency_proof(LOG, index, size)


@pytest.mark.usefixtures("read")
async def test_a_hash_that_is_not_there_is_an_error() -> None:
    with pytest.raises(LookupError, match="1 of 2 found"):
        await StoredHashes(NO_CONNECTION).hashes(0, 1099, 2)
