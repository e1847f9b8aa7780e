"""How a process of this installation starts another: by the same interpreter, and never by what lies in the folder.

Without `-P` the current folder would come first among the places that modules are sought in, and a checkout (or
anything with a folder named `events` or `infra`) in which the command happens to be called would take this
installation's place.
"""

from __future__ import annotations

import os
import sys

from infra.settings import Settings


def subprocess_command(*arguments: str) -> list[str]:
    """The command line of `yesser ARGUMENTS`."""
    return [sys.executable, "-P", "-m", "infra.cli", *arguments]


def subprocess_environment(settings: Settings) -> dict[str, str]:
    """The environment for a process that is to run with exactly these settings."""
    given = settings.model_dump(exclude_none=True, exclude_defaults=True, mode="json")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("YESSER_")}
    return inherited | {f"YESSER_{name.upper()}": str(value) for name, value in given.items()}
