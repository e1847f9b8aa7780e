"""The texts of the product and of its documents."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from tests.paths import ROOMS, ROOT, syntax_of

ARABIC: Final = re.compile("[\u0600-\u06ff]")
KEPT: Final = ("events/schemas/released/", "events/examples/", "docs/glossary.toml")
"""What a release said, and golden examples, are never changed."""
BILINGUAL = {"Bilingual", "_B", "Column", "Label", "Listing", "Name"}
"""The type of a text in both languages, with its kinds."""


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


@cache
def nodes() -> list[tuple[str, ast.Call | ast.JoinedStr | ast.Tuple]]:
    """The calls, texts and tuples of the product, and where each is."""
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno}", node)
        for path in files("py")
        for node in ast.walk(syntax_of(path))
        if isinstance(node, ast.Call | ast.JoinedStr | ast.Tuple)
    ]


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def pairs() -> Iterator[tuple[str, str, str]]:
    """Both texts of every `Bilingual` that is written out."""
    for where, node in nodes():
        if isinstance(node, ast.Call) and name_of(node) in BILINGUAL and len(node.args) > 1:
            arabic, english = map(text_of, node.args[:2])
            if arabic is not None and english is not None:
                yield where, arabic, english
