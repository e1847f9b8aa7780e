"""Where the repository's files are, for tests anywhere in the tree."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
"""The folder of the clone."""
DATA: Final = ROOT / "tests" / "data"
"""What tests read and nobody changes."""
