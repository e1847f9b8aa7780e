"""Parts of a log that is not trusted: what is read is proven, and every change on the way to the root is found."""

from __future__ import annotations

import pytest

from consumers.audit.authenticated import AuthenticatedLog
from consumers.audit.tree import WrongTree
from tests.every import every
from tests.world.memory_log import MemoryLog, large_log

LARGE = 66_000


async def opened(log: MemoryLog) -> AuthenticatedLog:
    return AuthenticatedLog(log, await log.checkpoint())


@every("size", [1, 255, 256, 257, 512, 700, 65_536, LARGE])
async def test_every_part_is_the_log(size: int) -> None:
    entries = large_log().stored[:size]
    log = await opened(large_log() if size == LARGE else MemoryLog(entries))
    for first in {0, size // 2, max(0, size - 300)}:
        count = min(300, size - first)
        assert await log.entries(first, count) == entries[first : first + count]


async def test_only_what_leads_to_the_root_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    log, asked = large_log().copy(), list[int]()
    read = log.hashes

    async def counted(level: int, first: int, count: int) -> list[bytes]:
        asked.append(count)
        return await read(level, first, count)

    monkeypatch.setattr(log, "hashes", counted)
    await (await opened(log)).entries(300, 5)
    assert 0 < sum(asked) <= 256 * 4


@every("index", [0, 10, 300, LARGE - 1])
async def test_a_changed_entry_is_named(index: int) -> None:
    log = large_log().copy()
    log.stored[index] = b"{}"
    with pytest.raises(WrongTree, match=f"entry {index} "):
        await (await opened(log)).entries(index, 1)


@every(("level", "number"), [(0, 10), (0, 65_999), (1, 0), (1, 256), (2, 0)])
async def test_an_entry_changed_with_its_hashes_does_not_lead_to_the_root(level: int, number: int) -> None:
    log = large_log().copy()
    log.levels[level][number] = bytes(32)
    index = min(number << 8 * level, LARGE - 1)
    with pytest.raises(WrongTree, match=r"root|entry"):
        await (await opened(log)).entries(index, 1)
