"""How a hint names this program to a reader."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = "from infra.process.subprocess_command import typed_command; print(typed_command())"


def test_a_hint_says_yesser_only_where_the_readers_shell_finds_it(tmp_path: Path) -> None:
    (tmp_path / "yesser").touch(0o755)

    def hint(**variables: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM], env=variables, capture_output=True, text=True, check=True
        ).stdout.strip()

    assert hint(PATH=str(tmp_path)) == "yesser"
    assert hint(PATH=str(tmp_path), UV="/usr/bin/uv") == "-c", "uvx alone has it on the path"
    assert hint(PATH="/nowhere") == "-c"
