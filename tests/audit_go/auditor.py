"""The Go program that audits a mirror."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.world.memory_log import KEY

HAS_GO = shutil.which("go") is not None


@dataclass(frozen=True)
class Auditor:
    """The built program."""

    program: Path

    def refuses(self, folder: Path, vkey: str = KEY.verifier.vkey, earlier: Sequence[Path] = ()) -> str | None:
        """What it says against the folder, or that it does not continue these checkpoints; None where it accepts."""
        result = subprocess.run(
            [self.program, folder, vkey, *earlier], capture_output=True, text=True, check=False, timeout=60
        )
        if result.returncode == 0:
            assert result.stdout.startswith("accepted: ")
            return None
        assert result.returncode == 1, result.stderr
        return result.stderr.removeprefix("refused: ").strip()


def built(folder: Path) -> Auditor:
    """Build it in a folder."""
    return Auditor(go_program(folder, Path(__file__).parent))


def go_program(folder: Path, source: Path) -> Path:
    """Build the Go program of a folder into another one."""
    program = folder / source.name
    built = subprocess.run(
        ["go", "build", "-o", program, "."], cwd=source, capture_output=True, text=True, check=False, timeout=280
    )
    assert built.returncode == 0, f"go build failed (its first run needs a network):\n{built.stderr}"
    return program
