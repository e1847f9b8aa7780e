"""Folds ranges of the log in several processes, for a consumer whose rows follow from single entries (the event index).

Flows in: the ranges between the scratch's position and the live one. Flows out: their rows, which each process writes
itself; the position moves over the ranges that are complete from the beginning on. So a rebuild that is killed goes on
there: rows of later ranges are deleted, and a process that still runs is fenced off.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing import connection as process_sentinels
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Final

import uvloop

from consumers.models.registry import CONSUMERS
from consumers.proof.audit.port import MirrorPort
from consumers.proof.audit.source import is_export
from consumers.replay.fold.replay import Progress, Reading, replay
from consumers.replay.rebuild.lasting_scratch import LastingScratch, RangeScratch
from consumers.replay.rebuild.rebuild import become_owner, position_of
from events.errors import YesserError
from infra.log.ports.files import prove_files
from infra.postgres.connection import connected
from infra.private_keys.key_files import read_verifier
from infra.settings import Settings

RANGE_ENTRIES: Final = 65_536
"""Entries of a range: some seconds of work, which a rebuild that is killed loses in each process."""
ALIVE_S: Final = 10.0
"""PostgreSQL ends the session of a rebuild that asks nothing for much longer, such as a suspended one."""


class NoMirror(YesserError):
    """An export is no mirror: give a folder of `yesser audit mirror`."""


@dataclass(frozen=True, slots=True)
class Source:
    """How the processes of a rebuild read the log: at which pace, and from which mirror."""

    pace_percent: int = 100
    mirror: Path | None = None

    @asynccontextmanager
    async def reading(self, settings: Settings) -> AsyncIterator[Reading]:
        """For one process. Raises `OtherLog` for a mirror that the database does not prove, and `NoMirror`."""
        if self.mirror is None:
            yield Reading(self.pace_percent)
            return
        if is_export(self.mirror):
            raise NoMirror(f"{self.mirror}: {NoMirror.__doc__}")
        async with connected(settings, "rebuild hashes", batch=True) as connection:
            port = MirrorPort(self.mirror, read_verifier(settings, None))
            yield Reading(self.pace_percent, await prove_files(port, connection))


@dataclass(frozen=True, slots=True)
class Range:
    """The entries `first … end - 1`, for the rebuild with this `fence`."""

    settings: Settings
    source: Source
    consumer: str
    fence: str
    first: int
    end: int


async def fold_ranges(
    scratch: LastingScratch, settings: Settings, source: Source, processes: int, progress: Progress
) -> None:
    """Fold whole ranges up to the live position. Less than a range is left to the rebuild."""
    end = await position_of(scratch.connection, scratch.consumer)
    firsts = range(scratch.position, end - RANGE_ENTRIES + 1, RANGE_ENTRIES)
    common = settings, source, scratch.consumer.name, scratch.fence
    ranges = [Range(*common, first, first + RANGE_ENTRIES) for first in firsts]
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_end_with_parent)
    try:
        loop = asyncio.get_running_loop()
        folded = [loop.run_in_executor(pool, _fold_range, one) for one in ranges]
        for one, done in zip(ranges, folded, strict=True):
            while not done.done():
                await asyncio.wait([done], timeout=ALIVE_S)
                await scratch.move(scratch.position)
            await done
            await scratch.move(one.end)
            progress(RANGE_ENTRIES)
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Without this a process of a killed rebuild waits for its next range without end."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        process_sentinels.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)

    Thread(target=watch, daemon=True).start()


def _fold_range(one: Range) -> None:
    uvloop.run(_folded(one))


async def _folded(one: Range) -> None:
    consumer, settings = CONSUMERS[one.consumer], one.settings
    async with (
        connected(settings, f"rebuild {consumer.name} range", batch=True) as connection,
        one.source.reading(settings) as reading,
    ):
        await become_owner(connection, consumer)
        scratch = RangeScratch(connection, consumer, one.first, one.fence)
        await scratch.use()
        await replay(settings, [scratch], one.end, reading=reading)
