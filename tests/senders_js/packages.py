"""The packages of these tests, installed once for each lock file; then they need no network."""

from __future__ import annotations

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
LOCKED: Final = ("package.json", "package-lock.json")
INSTALL: Final = ("npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")


def installed() -> Path:
    """The folder with the packages: a script beside them finds them."""
    locked = b"".join((HERE / name).read_bytes() for name in LOCKED)
    folder = HERE.parents[1] / "var" / f"senders-js-{sha256(locked).hexdigest()[:12]}"
    if not (folder / "installed").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in LOCKED:
            shutil.copy(HERE / name, folder)
        done = subprocess.run(INSTALL, cwd=folder, capture_output=True, text=True, check=False, timeout=280)
        assert done.returncode == 0, f"npm ci failed (its first run needs a network):\n{done.stderr}"
        (folder / "installed").touch()
    return folder
