"""A clock that a test moves, and commands that run in the process of the test."""

from __future__ import annotations

import gc
import os
import sys
from typing import Any, Generic, TypeVar, cast

import click
import pytest

from infra import cli

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
