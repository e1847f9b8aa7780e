"""What has arrived joins to whole transactions; the one under way counts until its rows are written."""

from __future__ import annotations

import asyncio

import pytest

from consumers.pipeline.batch import Batch, LeafMismatch
from consumers.pipeline.batch_buffer import BATCH_BYTES_MAX, BatchBuffer
from tests.oracle.log import make_entry, make_event
from tests.world.entries import entry_of

ENTRIES_MAX = 4
WAIT_S = 5.0


def batch(first: int, count: int, size_bytes: int = 100) -> Batch:
    made = [
        make_entry(first + i, make_event("service.resumed", "health", "service/S", {}, f"e{i}")) for i in range(count)
    ]
    return Batch(first, [entry_of(one) for one in made], b"%032d" % first * count, size_bytes)


async def turn() -> None:
    """Let every task that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_portions_join_to_one_batch_of_at_most_the_given_size() -> None:
    buffer = BatchBuffer(ENTRIES_MAX)
    for first in (0, 2, 4):
        await buffer.put(batch(first, 2), WAIT_S)
    assert [len((await buffer.get()).entries) for _ in range(2)] == [4, 2]
    assert buffer.empty()


async def test_a_repeat_or_a_gap_begins_a_new_batch() -> None:
    buffer = BatchBuffer(ENTRIES_MAX)
    await buffer.put(batch(0, 2), WAIT_S)
    await buffer.put(batch(0, 2), WAIT_S)
    assert [((await buffer.get()).first_index) for _ in range(2)] == [0, 0]


async def test_putting_waits_while_two_are_here_and_goes_on_when_rows_are_written() -> None:
    buffer = BatchBuffer(ENTRIES_MAX)
    await buffer.put(batch(0, 4), WAIT_S)
    await buffer.put(batch(4, 4), WAIT_S)
    third = asyncio.create_task(buffer.put(batch(8, 4), WAIT_S))
    await turn()
    assert not third.done()
    await buffer.get()
    await turn()
    assert not third.done(), "the transaction under way counts"
    buffer.release()
    assert await third


async def test_a_batch_that_grows_is_left_to_grow_unless_another_is_behind_it() -> None:
    buffer = BatchBuffer(ENTRIES_MAX)
    with buffer.growing():
        await buffer.put(batch(0, 2), WAIT_S)
        taken = asyncio.create_task(buffer.get())
        await turn()
        assert not taken.done()
        await buffer.put(batch(2, 2), WAIT_S)
        await buffer.put(batch(4, 2), WAIT_S)
        assert (await taken).end == 4
    assert (await buffer.get()).end == 6


async def test_what_came_alone_is_taken_when_its_portions_end_also_by_an_error() -> None:
    buffer = BatchBuffer(ENTRIES_MAX)
    taken = asyncio.create_task(buffer.get())

    async def broken_off() -> None:
        with buffer.growing():
            await buffer.put(batch(0, 1), WAIT_S)
            raise LookupError

    with pytest.raises(LookupError):
        await broken_off()
    assert (await taken).end == 1


async def test_a_batch_that_would_be_too_large_together_begins_a_new_one() -> None:
    buffer = BatchBuffer(ENTRIES_MAX)
    for first in (0, 1, 2):
        await buffer.put(batch(first, 1, BATCH_BYTES_MAX // 2), WAIT_S)
    assert [len((await buffer.get()).entries) for _ in range(2)] == [2, 1]


async def test_what_is_joined_is_joined_for_one_consumer_only() -> None:
    one, other = BatchBuffer(ENTRIES_MAX), BatchBuffer(ENTRIES_MAX)
    first, second = batch(0, 2), batch(2, 2)
    for buffer in (one, other):
        await buffer.put(first, WAIT_S)
        await buffer.put(second, WAIT_S)
    joined = await one.get()
    assert (joined.end, len(joined.leaves or b"")) == (4, 4 * 32)
    assert (await other.get()).end == 4
    assert (first.end, second.end) == (2, 4)


async def test_putting_gives_up_when_nothing_is_taken_in_time() -> None:
    buffer = BatchBuffer(ENTRIES_MAX)
    assert [await buffer.put(batch(first, 4), 0.01) for first in (0, 4, 8)] == [True, True, False]


async def test_an_error_of_the_source_comes_after_what_was_put_before_it() -> None:
    buffer = BatchBuffer(ENTRIES_MAX)
    await buffer.put(batch(0, 1), WAIT_S)
    buffer.fail(LeafMismatch("no entry"))
    assert (await buffer.get()).end == 1
    with pytest.raises(LeafMismatch, match="no entry"):
        await buffer.get()
