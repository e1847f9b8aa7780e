"""`yesser audit mirror --follow`: the folder stays fresh until a signal, over a log that is away for a while."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from consumers.proof.audit.mirror import MirrorReport, mirror_entries
from consumers.proof.audit.port import LogAway
from consumers.proof.commands.audit_command import Follower
from consumers.proof.commands.audit_options import AuditSource
from tests.world.memory_log import KEY, MemoryLog, sample_entries

ENTRIES = sample_entries(600)


@dataclass(frozen=True)
class Log(AuditSource):
    """A log that grows by itself each time that it is opened; `None` in its life is a time when it is away."""

    sizes: list[int | None] = field(default_factory=list)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[MemoryLog]:
        size = self.sizes.pop(0) if len(self.sizes) > 1 else self.sizes[0]
        if size is None:
            raise LogAway("no answer")
        yield MemoryLog(ENTRIES[:size])


async def follow(folder: Path, *sizes: int | None, until: int, ends_at: signal.Signals = signal.SIGINT) -> list[int]:
    """Follow a log of these sizes until its folder has so many entries; the sizes that were shown."""
    shown: list[MirrorReport] = []
    has_all = asyncio.Event()

    def show(report: MirrorReport) -> None:
        shown.append(report)
        if report["size"] == until:
            has_all.set()

    log = Log("https://log", KEY.verifier, None, None, sizes=[*sizes])
    running = asyncio.create_task(Follower(log, folder, 0.001, show).run(new_only=False))
    reached = asyncio.create_task(has_all.wait())
    await asyncio.wait([running, reached], return_when=asyncio.FIRST_COMPLETED)
    if reached.done():
        os.kill(os.getpid(), ends_at)
    reached.cancel()
    await running
    return [report["size"] for report in shown]


async def test_it_follows_checkpoints_until_a_signal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = await follow(tmp_path / "m", 5, 5, 300, None, None, 500, until=500)
    assert shown == [5, 300, 500], "a line for each new checkpoint"
    assert capsys.readouterr().err.count("waiting: no answer") == 1
    assert [entry async for entry in mirror_entries(tmp_path / "m")] == ENTRIES[:500]
    assert await follow(tmp_path / "m", 600, until=600, ends_at=signal.SIGTERM) == [600], "what was begun goes on"
    assert [entry async for entry in mirror_entries(tmp_path / "m")] == ENTRIES


async def test_a_log_that_is_away_from_the_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LogAway):
        await follow(tmp_path / "m", None, until=1)
