"""A fold lets other tasks run while it works, and shares its entries with other consumers of the process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import orjson

from consumers.models.registry import CONSUMERS
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.fold.apply import SLICE_ENTRIES, TURN_S, fold_in_turns
from events.wire.entry import Entry
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import UnitOfWork
from tests.every import every
from tests.oracle.history import MIXED, entries_from, generate
from tests.world.entries import entry_of
from tests.world.memory_store import MemoryStore


@cache
def entries() -> tuple[Entry, ...]:
    return tuple(entry_of(made) for made in entries_from(generate(3, 600, MIXED)))


async def test_a_long_fold_lets_other_tasks_run_between_two_slices() -> None:
    folded: list[int] = []

    def slow(rows: UnitOfWork, part: Sequence[Entry]) -> list[OutboxEvent]:
        folded.append(len(part))
        time.sleep(2 * TURN_S)
        return []

    async def look() -> None:
        while len(folded) < 3:
            seen.append(len(folded))
            await asyncio.sleep(0)

    seen: list[int] = []
    other = asyncio.create_task(look())
    batch = (entries() * (3 * SLICE_ENTRIES // len(entries()) + 1))[: 2 * SLICE_ENTRIES + 7]
    await fold_in_turns(replace(EVENT_INDEX, fold=slow), UnitOfWork(), batch)
    other.cancel()
    assert folded == [SLICE_ENTRIES, SLICE_ENTRIES, 7]
    assert {1, 2} <= set(seen)


@every("name", CONSUMERS)
def test_slices_of_a_batch_give_what_the_whole_batch_gives_and_no_fold_changes_the_entries(name: str) -> None:
    """One parsed entry is given to every consumer of a process."""
    consumer = CONSUMERS[name]

    def in_slices(rows: UnitOfWork, batch: Sequence[Entry]) -> list[OutboxEvent]:
        return [event for start in range(0, len(batch), 7) for event in consumer.fold(rows, batch[start : start + 7])]

    log = entries()
    before = [orjson.dumps(entry.data) for entry in log]
    whole, sliced, batches = MemoryStore(), MemoryStore(), MemoryStore()
    decided = whole.apply(consumer, log)
    assert sliced.apply(replace(consumer, fold=in_slices), log) == decided
    assert sliced.state() == whole.state()
    for start in range(0, len(log), 50):
        batches.apply(consumer, log[start : start + 50])
    assert [orjson.dumps(entry.data) for entry in log] == before
