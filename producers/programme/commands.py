"""Reads the demo's results through the `yesser` commands and their `--json`.

Producers and consumers do not import each other, so the demo reads as a user does.
"""

from __future__ import annotations

import subprocess
from typing import Any, Final

from events.errors import YesserError
from infra.json_documents import from_json
from infra.process.subprocess_command import subprocess_command

_TIMEOUT_S: Final = 600.0


class CommandFailed(YesserError):
    """A command that the demo needs ended with an error."""


def run_json(*arguments: str, accept: tuple[int, ...] = (0,)) -> Any:
    """Run `yesser ARGUMENTS --json` in this environment and return its document."""
    done = subprocess.run(
        subprocess_command(*arguments, "--json"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode not in accept:
        words = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2].removeprefix("yesser: ")
        raise CommandFailed(f"`yesser {' '.join(arguments)}` ended with code {done.returncode}: {words}")
    return from_json(done.stdout)
