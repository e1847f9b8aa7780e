"""Reads the demo's results through the `yesser` commands and their `--json`.

Producers and consumers do not import each other, so the demo reads as a user does.
"""

from __future__ import annotations

import subprocess
from typing import Final, TypeVar

import msgspec

from events.errors import YesserError
from infra.process.subprocess_command import subprocess_command

PATIENCE_S: Final = 900
"""How long a step of the demo may take, such as on a busy machine: it is over as soon as it is done."""
Document = TypeVar("Document")


class CommandFailed(YesserError):
    """A command that the demo needs ended with an error."""


def run_json(*arguments: str, accept: tuple[int, ...] = (0,)) -> bytes:
    """Run `yesser ARGUMENTS --json` in this environment and return what it prints."""
    done = subprocess.run(
        subprocess_command(*arguments, "--json"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=2 * PATIENCE_S,
        check=False,
    )
    if done.returncode not in accept:
        words = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2].removeprefix("yesser: ")
        raise CommandFailed(f"`yesser {' '.join(arguments)}` ended with code {done.returncode}: {words}")
    return done.stdout.strip()


def read_json(model: type[Document], *arguments: str, accept: tuple[int, ...] = (0,)) -> Document:
    """The members of `model` of the document that `yesser ARGUMENTS --json` prints."""
    return msgspec.json.decode(run_json(*arguments, accept=accept), type=model)
