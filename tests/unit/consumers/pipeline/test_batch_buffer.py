"""What has arrived joins to whole transactions; what is under way takes its place until its rows are written."""

from __future__ import annotations

import asyncio

import pytest

from consumers.pipeline.batch_buffer import BatchBuffer
from consumers.pipeline.writer import Batch
from tests.oracle.log import make_entry, make_event
from tests.unit.consumers.entries import entry_of

ENTRIES_MAX = 4


def batch(first: int, count: int) -> Batch:
    made = [
        make_entry(first + i, make_event("service.resumed", "health", "service/S", {}, f"e{i}")) for i in range(count)
    ]
    return Batch(first, [b"%d" % (first + i) for i in range(count)], [entry_of(one) for one in made])


async def turn() -> None:
    """Let every task that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_portions_join_to_one_batch_of_at_most_the_given_size() -> None:
    inbox = BatchBuffer(ENTRIES_MAX)
    for first in (0, 2, 4):
        await inbox.put(batch(first, 2))
    assert [len((await inbox.get()).raw) for _ in range(2)] == [4, 2]
    assert inbox.empty()


async def test_a_repeat_or_a_gap_begins_a_new_batch() -> None:
    inbox = BatchBuffer(ENTRIES_MAX)
    await inbox.put(batch(0, 2))
    await inbox.put(batch(0, 2))
    assert [((await inbox.get()).first_index) for _ in range(2)] == [0, 0]


async def test_putting_waits_while_two_are_here_and_goes_on_when_rows_are_written() -> None:
    inbox = BatchBuffer(ENTRIES_MAX)
    await inbox.put(batch(0, 4))
    await inbox.put(batch(4, 4))
    third = asyncio.create_task(inbox.put(batch(8, 4)))
    await turn()
    assert not third.done()
    await inbox.get()
    await turn()
    assert not third.done(), "the transaction under way takes its place"
    inbox.release()
    await third


async def test_a_batch_that_grows_is_left_to_grow_unless_another_is_behind_it() -> None:
    inbox = BatchBuffer(ENTRIES_MAX)
    with inbox.growing():
        await inbox.put(batch(0, 2))
        taken = asyncio.create_task(inbox.get())
        await turn()
        assert not taken.done()
        await inbox.put(batch(2, 2))
        await inbox.put(batch(4, 2))
        assert (await taken).end == 4
    assert (await inbox.get()).end == 6


async def test_what_came_alone_is_taken_when_its_portions_end_also_by_an_error() -> None:
    inbox = BatchBuffer(ENTRIES_MAX)
    taken = asyncio.create_task(inbox.get())

    async def broken_off() -> None:
        with inbox.growing():
            await inbox.put(batch(0, 1))
            raise LookupError

    with pytest.raises(LookupError):
        await broken_off()
    assert (await taken).end == 1
