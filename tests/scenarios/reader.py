"""A reader who follows a page to the letter: its shell blocks, copied into one shell in the clone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.paths import ROOT
from tests.stack import folder_in_memory

TIMEOUT_S = 600


def shell_blocks(page: Path) -> list[str]:
    """What a reader copies into a shell, in order."""
    return re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@contextmanager
def readers_shell() -> Iterator[dict[str, str]]:
    """A reader's environment: the virtual environment is active and nothing of Yesser is set but an empty home."""
    with folder_in_memory() as home:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("YESSER_")}
        path = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
        made = kept | {"YESSER_HOME": str(home), "PATH": path}
        made |= {name: os.environ[name] for name in ("YESSER_CACHE",) if name in os.environ}
        try:
            yield made
        finally:
            bash("yesser sandbox down --forget", made)


def bash(script: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script that ends at the first command that fails."""
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
