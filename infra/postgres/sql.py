"""SQL is kept in `.sql` files beside its user; a line `-- name: the_name` names a query, the next one is its reason."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

_NAME: Final = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def queries(package: str, file: str) -> dict[str, str]:
    parts = _NAME.split(read(package, file))
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


@cache
def read(package: str, file: str) -> str:
    return files(package).joinpath(file).read_text(encoding="utf-8")


def in_transaction(sql: str) -> str:
    """The statements that build indexes of tables in use, for tables that nobody uses yet."""
    return sql.replace(" CONCURRENTLY", "")
