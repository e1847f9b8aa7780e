"""How a process of this installation starts another: by the same interpreter, and never by what lies in the folder.

Without `-P` the current folder would come first among the places that modules are sought in, and a checkout (or
anything with a folder named `events` or `infra`) in which the command happens to be called would take this
installation's place.
"""

from __future__ import annotations

import sys


def own_command(*arguments: str) -> list[str]:
    """The command line of `yesser ARGUMENTS`."""
    return [sys.executable, "-P", "-m", "infra.cli", *arguments]
