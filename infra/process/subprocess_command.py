"""The command line by which a process of this installation starts another: the same interpreter and packages.

Without `-P` Python would import from the current folder first, so that a checkout (or any folder with `events` or
`infra` in it) would replace this installation's packages.
"""

from __future__ import annotations

import os
import sys

from infra.settings import Settings


def subprocess_command(*arguments: str) -> list[str]:
    """The command line of `yesser ARGUMENTS`."""
    return [sys.executable, "-P", "-m", "infra.cli", *arguments]


def subprocess_environment(settings: Settings) -> dict[str, str]:
    """The environment of a process with exactly these settings."""
    changed_settings = settings.model_dump(exclude_none=True, exclude_defaults=True, mode="json")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("YESSER_")}
    return inherited | {f"YESSER_{name.upper()}": str(value) for name, value in changed_settings.items()}
