"""Parts of a log that is not trusted: what is read is proven, and every change on the way to the root is found."""

from __future__ import annotations

import pytest

from consumers.audit.authenticated import AuthenticatedLog
from consumers.audit.tree import WrongTree
from tests.every import every
from tests.world.memory_log import MemoryLog, sample_entries

ENTRIES = sample_entries(66_000)


class Watched(MemoryLog):
    """Counts the hashes that were asked for."""

    asked = 0

    async def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        self.asked += count
        return await super().hashes(level, first, count)


async def opened(log: MemoryLog) -> AuthenticatedLog:
    return AuthenticatedLog(log, await log.checkpoint())


@every("size", [1, 255, 256, 257, 512, 700, 65_536, 66_000])
async def test_every_part_is_the_log(size: int) -> None:
    log = await opened(MemoryLog(ENTRIES[:size]))
    for first in {0, size // 2, max(0, size - 300)}:
        count = min(300, size - first)
        assert await log.entries(first, count) == ENTRIES[first : first + count]


async def test_only_what_leads_to_the_root_is_read() -> None:
    log = Watched(ENTRIES)
    await (await opened(log)).entries(300, 5)
    assert log.asked <= 256 * 4


@pytest.mark.parametrize(("size", "index"), [(700, 0), (700, 300), (700, 699), (66_000, 65_999), (66_000, 10)])
async def test_a_changed_entry_is_named(size: int, index: int) -> None:
    log = MemoryLog(ENTRIES[:size])
    log.stored[index] = b"{}"
    with pytest.raises(WrongTree, match=f"entry {index} "):
        await (await opened(log)).entries(index, 1)


@pytest.mark.parametrize(("level", "number"), [(0, 10), (0, 65_999), (1, 0), (1, 256), (2, 0)])
async def test_an_entry_changed_with_its_hashes_does_not_lead_to_the_root(level: int, number: int) -> None:
    log = MemoryLog(ENTRIES)
    log.levels[level][number] = bytes(32)
    index = min(number << 8 * level, len(ENTRIES) - 1)
    with pytest.raises(WrongTree, match=r"root|entry"):
        await (await opened(log)).entries(index, 1)
