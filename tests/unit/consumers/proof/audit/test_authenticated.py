"""Parts of a log that is not trusted: what is read is proven, each change on the way to the root is found, and times
never run backwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from consumers.proof.audit.authenticated import AuthenticatedLog
from infra.log.ports.tree import BATCH_ENTRIES, RecordedTimes, WrongTime, WrongTree, require_tree
from tests.every import every
from tests.world.memory_log import FIRST_RECORDED, MemoryLog, large_log, sample_entries, sample_entry

LARGE = 66_000
ENTRIES = sample_entries(600)
EARLIER = sample_entry(1, FIRST_RECORDED - timedelta(microseconds=1))


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


def test_equal_and_later_times_are_in_order_and_an_earlier_index_starts_anew() -> None:
    times = RecordedTimes()
    times.require(0, [ENTRIES[0], ENTRIES[0], ENTRIES[1]])
    times.require(3, [])
    times.require(3, [ENTRIES[1]])
    times.require(100, [ENTRIES[1]])
    times.require(3, ENTRIES[:4])
    with pytest.raises(WrongTime, match=r"^entry 100 .* before an entry in front of it"):
        times.require(100, [ENTRIES[0]])  # also where entries are left out


@every("entry", [EARLIER, b"", b"{}", b'{"recordedtime":1,"from":"a/0/0","event":{}}'])
@every("at", [0, 1, 2])
def test_the_first_that_is_not_is_named(entry: bytes, at: int) -> None:
    times = RecordedTimes()
    times.require(250, ENTRIES[:6])
    wrong = [ENTRIES[7], ENTRIES[8], ENTRIES[9]]
    wrong[at] = entry
    with pytest.raises(WrongTime, match=rf"^entry {256 + at} \(tile/entries/001\)"):
        times.require(256, wrong)


async def test_a_log_is_refused_for_its_times_alone_where_it_is_what_was_signed() -> None:
    late = [*ENTRIES[:300], EARLIER, *ENTRIES[300:]]
    log = MemoryLog(late)
    with pytest.raises(WrongTime, match=r"^entry 300 "):
        await require_tree(log, len(late), log.root)
    with pytest.raises(WrongTime, match=r"^entry 300 "):
        await AuthenticatedLog(log, await log.checkpoint()).entries(0, 400)
    entries = sample_entries(BATCH_ENTRIES + 300)
    changed = MemoryLog(entries)
    changed.stored[299] = EARLIER
    with pytest.raises(WrongTree, match=r"^entry 299 "):
        await require_tree(changed, len(entries), changed.root)
    with pytest.raises(WrongTree, match=r"^entry 299 "):
        await AuthenticatedLog(changed, await changed.checkpoint()).entries(256, 100)
