"""Recorded times: they never run backwards, also where entries are left out, and every entry has one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from consumers.audit.authenticated import AuthenticatedLog
from consumers.audit.tree import BATCH_ENTRIES, RecordedTimes, WrongTime, WrongTree, require_tree
from tests.every import every
from tests.world.memory_log import FIRST_RECORDED, MemoryLog, sample_entries, sample_entry

ENTRIES = sample_entries(600)
EARLIER = sample_entry(1, FIRST_RECORDED - timedelta(microseconds=1))


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
