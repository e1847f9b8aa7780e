"""What has arrived joins to whole transactions; the one under way counts until its rows are written."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from consumers.replay.pipeline.batch import BATCH_BYTES_MAX, Batch, BatchBuffer, LeafMismatch
from tests.every import every
from tests.oracle.log import make_entry, make_event
from tests.virtual_time import virtual
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


HALF: Final = BATCH_BYTES_MAX // 2


@every(
    ("portions", "taken"),
    [
        ([batch(0, 2), batch(2, 2), batch(4, 2)], [(0, 4), (4, 6)]),  # four entries at most
        ([batch(0, 2), batch(0, 2)], [(0, 2), (0, 2)]),  # a repeat
        ([batch(0, 1), batch(2, 1)], [(0, 1), (2, 3)]),  # a gap
        ([batch(0, 1, HALF), batch(1, 1, HALF), batch(2, 1, HALF)], [(0, 2), (2, 3)]),  # too many bytes together
    ],
)
@virtual
async def test_portions_join_unless_too_much_or_apart(portions: list[Batch], taken: list[tuple[int, int]]) -> None:
    buffer = BatchBuffer(ENTRIES_MAX)
    for portion in portions:
        await buffer.put(portion, WAIT_S)
    found = [await buffer.get() for _ in taken]
    assert [(joined.first_index, joined.end) for joined in found] == taken
    assert [len(joined.entries) for joined in found] == [end - first for first, end in taken]
    assert buffer.empty()


@virtual
async def test_putting_waits_while_two_are_here_and_goes_on_when_rows_are_written() -> None:
    buffer = BatchBuffer(ENTRIES_MAX)
    assert [await buffer.put(batch(first, 4), 0.01) for first in (0, 4, 8)] == [True, True, False], "it gives up"
    third = asyncio.create_task(buffer.put(batch(8, 4), WAIT_S))
    await turn()
    assert not third.done()
    await buffer.get()
    await turn()
    assert not third.done(), "the transaction under way counts"
    buffer.release()
    assert await third


@virtual
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


@virtual
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


@virtual
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


@virtual
async def test_an_error_of_the_source_comes_after_what_was_put_before_it() -> None:
    buffer = BatchBuffer(ENTRIES_MAX)
    await buffer.put(batch(0, 1), WAIT_S)
    buffer.fail(LeafMismatch("no entry"))
    assert (await buffer.get()).end == 1
    with pytest.raises(LeafMismatch, match="no entry"):
        await buffer.get()
