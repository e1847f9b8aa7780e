"""A replay with a pace works for its share of the time, batch by batch, and rests for the rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from consumers.replay.event_index.consumer import CONSUMER
from consumers.replay.fold.replay import PACED_ENTRIES, REST_MAX_S, Reading, Scratch, replay
from events.wire.entry import Entry
from infra.settings import Settings
from tests.every import every
from tests.oracle.history import MIXED, entries_from, generate
from tests.virtual_time import virtual
from tests.world.entries import entry_of

BATCHES = 8
ENTRIES = [entry_of(made) for made in entries_from(generate(3, 40, MIXED))[:BATCHES]]


class Session:
    """A session of PostgreSQL, whose transactions cost nothing."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield


class Working(Scratch):
    """A fold that takes `work_s` seconds for a batch."""

    def __init__(self, work_s: float) -> None:
        session: Any = Session()
        super().__init__(session, CONSUMER)
        self.work_s = work_s
        self.began: list[float] = []

    async def apply(self, entries: Sequence[Entry]) -> None:
        self.began.append(time.monotonic())
        await asyncio.sleep(self.work_s)
        self.position += len(entries)


class Files:
    """All entries, one a batch; notes how large a batch may be."""

    size = BATCHES

    def __init__(self) -> None:
        self.entries_max = 0

    async def parsed(self, first: int, end: int, entries_max: int) -> AsyncGenerator[list[Entry], None]:
        self.entries_max = entries_max
        for entry in ENTRIES[first:end]:
            yield [entry]


async def replayed(percent: int, work_s: float) -> tuple[Working, Files]:
    scratch, files = Working(work_s), Files()
    source: Any = files
    await replay(Settings(), [scratch], BATCHES, reading=Reading(percent, source))
    assert scratch.position == BATCHES
    return scratch, files


@every("percent", [5, 25, 50, 100])
@virtual
async def test_of_any_time_a_replay_works_as_large_a_share_as_its_pace(percent: int) -> None:
    scratch, files = await replayed(percent, 0.1)
    took = [after - before for before, after in zip(scratch.began, scratch.began[1:], strict=False)]
    assert took == [pytest.approx(0.1 * 100 / percent)] * (BATCHES - 1)
    assert (files.entries_max == PACED_ENTRIES) is (percent < 100), "it rests between short batches"


@virtual
async def test_no_rest_is_so_long_that_postgresql_ends_the_session() -> None:
    scratch, _ = await replayed(5, 60.0)
    assert scratch.began[1] - scratch.began[0] == pytest.approx(60 + REST_MAX_S)
