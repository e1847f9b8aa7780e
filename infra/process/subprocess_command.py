"""The command line by which a process of this installation starts another: the same interpreter and packages; and how a
person types it.

Without `-P` Python would import from the current folder first, so that a checkout (or any folder with `events` or
`infra` in it) would replace this installation's packages.
"""

from __future__ import annotations

import os
import shlex
import sys
from shutil import which

from infra.settings import Settings


def subprocess_command(*arguments: str) -> list[str]:
    """The command line of `yesser ARGUMENTS`."""
    return [sys.executable, "-P", "-m", "infra.cli", *arguments]


def typed_command() -> str:
    """What a reader types for `yesser`: its file's path where her shell does not find it. `uvx` has it on the path of
    what it runs alone."""
    return "yesser" if which("yesser") and "UV" not in os.environ else shlex.quote(sys.argv[0])


def subprocess_environment(settings: Settings) -> dict[str, str]:
    """The environment of a process with exactly these settings."""
    changed_settings = settings.model_dump(exclude_none=True, exclude_defaults=True, mode="json")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("YESSER_")}
    return inherited | {f"YESSER_{name.upper()}": str(value) for name, value in changed_settings.items()}
