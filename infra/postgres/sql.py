"""SQL lives in `.sql` files beside its user; a query is named by a line `-- name: the_name`, followed by why it is."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

_NAME: Final = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def queries(package: str, file: str) -> dict[str, str]:
    """The named queries of a file: name → text."""
    parts = _NAME.split(read(package, file))
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


@cache
def read(package: str, file: str) -> str:
    """The whole file."""
    return files(package).joinpath(file).read_text(encoding="utf-8")
