"""Entries are read a batch ahead of the one that is applied, and no task of the reader outlives it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from infra.log.merkle import leaf_hash
from infra.log.ports.read_ahead import parsed_entries
from infra.log.reader import ChangedEntry
from tests.world.logs import bundle_of, history_bytes

SEGMENT = 10
RAW = history_bytes(5, 60)[:60]


class Segments:
    """The log in segments, as its table has them; notes where each read began."""

    def __init__(self, raw: list[bytes]) -> None:
        self._segments = [raw[first : first + SEGMENT] for first in range(0, len(raw), SEGMENT)]
        self.reads: list[int] = []
        self.changed: int | None = None

    async def fetch(self, _: str, first: int, end: int, bytes_max: int) -> list[Any]:
        self.reads.append(first)
        found: list[Any] = []
        size = 0
        for number in range(first // SEGMENT, min(-(-end // SEGMENT), len(self._segments))):
            entries = self._segments[number]
            size += len(bundle_of(entries))
            if found and size > bytes_max:
                break
            leaves = [leaf_hash(b"" if number == self.changed else entry) for entry in entries]
            found.append((number * SEGMENT, bundle_of(entries), b"".join(leaves)))
        return found


async def indexes(log: Any, first: int, end: int, **limits: int) -> list[list[int]]:
    async with aclosing(parsed_entries(log, first, end, **limits)) as batches:
        return [[entry.index for entry in entries] async for entries in batches]


async def test_batches_are_of_consecutive_entries_within_the_limits_up_to_the_end_of_the_log() -> None:
    log = Segments(RAW)
    assert await indexes(log, 7, 33, entries_max=12) == [[*range(7, 19)], [*range(19, 31)], [31, 32]]
    assert await indexes(log, 50, 90) == [[*range(50, 60)]], "the log ends"
    assert await indexes(log, 60, 60) == await indexes(log, 60, 90) == []


async def test_a_segment_beyond_the_limit_of_bytes_is_read_alone_and_given_in_parts_of_at_least_an_entry() -> None:
    log, bytes_max = Segments(RAW), 3 * max(map(len, RAW[:SEGMENT])) + 1
    parts = await indexes(log, 0, SEGMENT, bytes_max=bytes_max)
    assert [index for part in parts for index in part] == [*range(SEGMENT)]
    assert all(sum(len(RAW[index]) for index in part) <= bytes_max for part in parts)
    assert len(parts) < SEGMENT
    assert log.reads == [0]
    assert await indexes(log, 0, 3, bytes_max=1) == [[0], [1], [2]]


async def test_the_next_batch_is_read_before_one_is_given_and_parsed_while_that_one_is_applied() -> None:
    log = Segments(RAW)
    log.changed = 1
    async with aclosing(parsed_entries(log, 0, 60, entries_max=SEGMENT)) as batches:  # type: ignore[arg-type]
        first = await anext(batches)
        assert (len(first), log.reads) == (SEGMENT, [0, SEGMENT])
        with pytest.raises(ChangedEntry, match=f"^entry {SEGMENT} "):
            await anext(batches)


async def test_a_reader_that_is_closed_leaves_no_task() -> None:
    async with aclosing(parsed_entries(Segments(RAW), 0, 60, entries_max=SEGMENT)) as batches:  # type: ignore[arg-type]
        await anext(batches)
    await asyncio.wait_for(asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True), 2)
    assert asyncio.all_tasks() == {asyncio.current_task()}
