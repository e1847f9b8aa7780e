"""Where the repository's files are, for tests anywhere in the tree."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
"""The folder of the clone."""
DATA: Final = ROOT / "tests" / "data"
"""What tests read and nobody changes."""


@cache
def syntax_of(path: Path) -> ast.Module:
    """What a module says. Several tests read the whole product: it is parsed once."""
    return ast.parse(path.read_text(encoding="utf-8"))
