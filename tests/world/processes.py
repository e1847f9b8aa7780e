"""A clock that a test moves, commands that run in the process of the test, and processes of the platform beside it."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import click
import pytest

from infra import cli
from infra.process.subprocess_command import subprocess_command

Time = TypeVar("Time")


class Clock(Generic[Time]):
    def __init__(self, now: Time) -> None:
        self.now = now

    def __call__(self) -> Time:
        return self.now


def exit_of(*arguments: str, command: click.Command = cli.cli) -> int:
    """The exit code of the command line, which changes the process that it runs in: that is taken back."""
    mask, thresholds, streams = os.umask(0o022), gc.get_threshold(), (sys.stdout, sys.stderr)
    try:
        with pytest.raises(SystemExit) as ended:
            cli.main([*arguments], command)
    finally:
        os.umask(mask)
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        gc.enable()
        for buffered in {sys.stdout, sys.stderr} - {*streams}:
            buffered.flush()
            cast(Any, buffered).detach().detach()  # or its end would close the stream below
        sys.stdout, sys.stderr = streams
    return int(ended.value.code or 0)


@asynccontextmanager
async def started(
    environment: Mapping[str, str], log: Path, name: str = "delivery"
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process as an operator starts it, which ends well unless a test has killed it."""
    with log.open("ab") as lines:
        process = await asyncio.create_subprocess_exec(
            *subprocess_command("run", name), env=environment, stdout=lines, stderr=lines
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            assert await process.wait() == 0


async def kill(process: asyncio.subprocess.Process) -> None:
    """kill -9."""
    process.kill()
    await process.wait()
