"""The texts of the product and of its documents."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

from tests.paths import ROOMS, ROOT

ARABIC: Final = re.compile("[\u0600-\u06ff]")
KEPT: Final = ("events/schemas/released/", "events/examples/", "docs/glossary.toml")
"""What a release said, and golden examples, are never changed."""


def files(*endings: str) -> list[Path]:
    """Every file of the product with one of these endings."""
    found = [path for room in (*ROOMS, "docs") for ending in endings for path in (ROOT / room).rglob(f"*.{ending}")]
    if "md" in endings:
        found += ROOT.glob("*.md")
    return sorted(path for path in found if not path.relative_to(ROOT).as_posix().startswith(KEPT))


def text_of(node: ast.AST | None) -> str | None:
    """A literal text; what is filled into it stands as `…`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)  # type: ignore[misc]
    return None
