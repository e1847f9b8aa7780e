"""Where the repository's files are, and what its modules say, for tests anywhere in the tree."""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
"""The folder of the clone."""
DATA: Final = ROOT / "tests" / "data"
"""What tests read and nobody changes."""
ROOMS: Final = ("events", "infra", "producers", "consumers")
"""The top packages of the product."""


@cache
def syntax_of(path: Path) -> ast.Module:
    """What a module says. Several tests read the whole product: it is parsed once, and none of it is garbage."""
    gc.disable()
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    finally:
        gc.enable()


def product_modules() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def names_in(body: Iterable[ast.stmt], within: str = "") -> Iterator[str]:
    """What a module defines: functions, classes with their methods, constants."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield within + node.name
        elif isinstance(node, ast.ClassDef):
            yield within + node.name
            yield from names_in(node.body, f"{node.name}.")
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (within + target.id for target in targets if isinstance(target, ast.Name))
