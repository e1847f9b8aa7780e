"""What an earlier build left in a clone hides new commands: every target that needs the installation removes it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.paths import ROOT

LEFT = ("build/lib/consumers/gone.py", "build/bdist.linux-x86_64/x", "yesser_events.egg-info/entry_points.txt")
NEEDED = ("requirements.lock", "pyproject.toml", "infra/embedded/servers/kafka-jars.lock")
INSTALLED = (".venv/.locked", ".venv/.installed")


def test_make_setup_removes_what_an_earlier_build_left_and_nothing_else(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    kept = "build/python3.14/pyvenv.cfg"
    for name in (*LEFT, kept, *NEEDED, *INSTALLED):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["make", "setup"], cwd=tmp_path, check=True, capture_output=True)
    assert [name for name in LEFT if (tmp_path / name).exists()] == []
    assert (tmp_path / kept).exists()
