"""Runs a server's own tool that creates its data folder, once."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict, Unpack

from infra.errors import StackError


class RunAs(TypedDict, total=False):
    """Where and as whom a child runs: arguments of `subprocess`."""

    cwd: Path
    user: int
    group: int
    extra_groups: list[int]


def run_tool(
    command: Sequence[str],
    what: str,
    folder: Path,
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    **options: Unpack[RunAs],
) -> None:
    """Run the tool that creates `what` in `folder`. Its output, which may hold passwords, is discarded.

    Raises StackError with the last line of its errors.
    """
    try:
        subprocess.run(
            command,
            timeout=timeout_s,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
            env=env,
            **options,
        )
    except subprocess.TimeoutExpired:
        raise StackError(
            f"{what} in {folder} was not created within {timeout_s:.0f} s: run the same command again when this machine"
            " has less to do."
        ) from None
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.strip()]
        raise StackError(
            f"{what} in {folder} could not be created ({lines[-1] if lines else 'no message'}): "
            "check that the folder can be written and has free space, then run the same command again."
        ) from None
