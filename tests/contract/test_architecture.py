"""`docs/architecture.md` leads to what exists: each link to a function, each folder of a room."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tests.every import every
from tests.paths import ROOMS, ROOT, names_in, syntax_of

PAGE = ROOT / "docs" / "architecture.md"
TEXT = PAGE.read_text(encoding="utf-8")
PLACES = [
    (name, file)
    for names, file in re.findall(r"\[(`[^\]]+`)\]\(([^)#]+\.(?:py|toml))\)", TEXT)
    for name in re.findall(r"`([^`]+)`", names)
]
"""(name, file) of every link to a place in the code; a link may have several names."""
NO_CODE = {"events/examples", "events/schemas", "infra/migrations"}


def defines(file: Path, name: str) -> bool:
    if file.suffix == ".toml":
        return name in tomllib.loads(file.read_text(encoding="utf-8"))["project"]["entry-points"]
    return name in set(names_in(syntax_of(file).body))


@every(("name", "file"), PLACES)
def test_every_place_is_where_the_page_says(name: str, file: str) -> None:
    path = (PAGE.parent / file).resolve()
    assert path.is_file(), f"docs/architecture.md leads to {file}, which is gone: link the file with `{name}`"
    assert defines(path, name), f"docs/architecture.md looks for `{name}` in {file}: name what is there now"


def test_every_folder_of_a_room_is_on_the_page() -> None:
    rows = {room: next(line for line in TEXT.splitlines() if line.startswith(f"| `{room}/` |")) for room in ROOMS}
    folders = {path.parent.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).glob("*/__init__.py")}
    missing = [str(f) for f in folders if f"`{f.name}`" not in rows[f.parts[0]] and f.as_posix() not in NO_CODE]
    assert not missing, f"say in docs/architecture.md (Packages) what {sorted(missing)} are for"
