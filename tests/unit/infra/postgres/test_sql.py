"""Every named query of the project can be found, and none is named twice in a file."""

from __future__ import annotations

import re
from pathlib import Path

import infra
from infra.postgres.sql import queries, read
from tests.every import every

ROOT = Path(infra.__file__).parent.parent
FILES = sorted(
    path.relative_to(ROOT)
    for room in ("infra", "consumers", "producers")
    for path in (ROOT / room).rglob("*.sql")
    if "-- name:" in path.read_text(encoding="utf-8")
)


@every("path", FILES)
def test_each_query_has_a_name_of_its_own_and_a_text_and_none_is_overlooked(path: Path) -> None:
    package = ".".join(path.parent.parts)
    text = read(package, path.name)
    names = re.findall(r"^-- name: (\w+)$", text, re.MULTILINE)
    assert len(names) == len(set(names)), "a name is used twice: the first query would never run"
    assert len(names) == len(re.findall(r"--\s*name", text)), "a line that names a query is overlooked"
    found = queries(package, path.name)
    assert list(found) == names
    assert all(re.sub(r"--.*", "", text).strip() for text in found.values()), "a query has no text"
