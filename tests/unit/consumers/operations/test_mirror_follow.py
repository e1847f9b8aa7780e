"""`yesser audit mirror --follow`: the folder stays fresh until a signal, over a log that is away for a while."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from consumers.audit.http_port import LogAway
from consumers.audit.mirror import MirrorReport, mirror_entries
from consumers.operations.audit_command import _Follower
from consumers.operations.audit_options import AuditSource
from tests.world.memory_log import KEY, MemoryLog, sample_entries

ENTRIES = sample_entries(600)


class Log:
    """A log that grows by itself each time that it is opened; `None` in its life is a time when it is away."""

    def __init__(self, *sizes: int | None) -> None:
        self.sizes = list(sizes)

    @asynccontextmanager
    async def opened(self, _: object) -> Any:
        size = self.sizes.pop(0) if len(self.sizes) > 1 else self.sizes[0]
        if size is None:
            raise LogAway("no answer")
        yield MemoryLog(ENTRIES[:size])


def follower(log: Log, folder: Path, monkeypatch: pytest.MonkeyPatch, shown: list[MirrorReport]) -> _Follower:
    monkeypatch.setattr(AuditSource, "opened", lambda source: log.opened(source))
    return _Follower(AuditSource("https://log", KEY.verifier, None, None), folder, 0.001, shown.append)


async def until(holds: Callable[[], bool], running: asyncio.Task[None]) -> None:
    """Wait for it, or for the error of what runs."""
    while not holds():
        done, _ = await asyncio.wait([running], timeout=0.001)
        assert not done, running.exception()


async def test_it_follows_each_checkpoint_and_ends_at_a_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[MirrorReport] = []
    log = Log(5, 5, 300, None, None, 600)
    running = asyncio.create_task(follower(log, tmp_path / "m", monkeypatch, shown).run(new_only=False))
    await until(lambda: len(shown) == 3, running)
    os.kill(os.getpid(), signal.SIGINT)
    await running
    assert [report["size"] for report in shown] == [5, 300, 600], "a line for each new checkpoint"
    assert [entry async for entry in mirror_entries(tmp_path / "m")] == ENTRIES
    assert capsys.readouterr().err.count("waiting: no answer") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_what_was_begun_goes_on_when_it_is_called_again(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (260, 600):
        await follow_to(size, tmp_path / "m", monkeypatch, number)
    assert [entry async for entry in mirror_entries(tmp_path / "m")] == ENTRIES


async def follow_to(size: int, folder: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    shown: list[MirrorReport] = []
    running = asyncio.create_task(follower(Log(size), folder, monkeypatch, shown).run(new_only=False))
    await until(lambda: bool(shown), running)
    os.kill(os.getpid(), number)
    await running


async def test_a_log_that_is_away_from_the_start_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LogAway):
        await follower(Log(None), tmp_path / "m", monkeypatch, []).run(new_only=False)
