"""Each room's `__init__.py` is one paragraph: its job and its way in. A room is a folder with modules."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Final

from tests.every import every
from tests.paths import ROOMS, ROOT, names_in, syntax_of

FOLDERS: Final = [path.parent.relative_to(ROOT) for top in ROOMS for path in sorted((ROOT / top).rglob("__init__.py"))]
FORM: Final = re.compile(r"\S.*\. Way in: (?P<way_in>.*`.+`.*)\.")
PYPROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMMANDS: Final[dict[str, str]] = PYPROJECT["project"]["entry-points"]["yesser.commands"]


def test_every_folder_of_modules_is_a_room() -> None:
    folders = {path.parent.relative_to(ROOT) for top in ROOMS for path in (ROOT / top).rglob("*.py")}
    missing = sorted(folder.as_posix() for folder in folders - set(FOLDERS))
    assert folders > {Path(top) for top in ROOMS}
    assert not missing, f"write an __init__.py for {missing}"


@every("room", FOLDERS)
def test_a_room_begins_with_one_true_paragraph(room: Path) -> None:
    place, module = f"{room.as_posix()}/__init__.py", syntax_of(ROOT / room / "__init__.py")
    docstring = ast.get_docstring(module)
    assert docstring, f"{place}: write one paragraph: its job. Way in: `module.name`."
    assert len(module.body) == 1, f"{place}: move its code into a module"
    assert "\n\n" not in docstring, f"{place}: write one paragraph, without an empty line"

    said = FORM.fullmatch(" ".join(docstring.split()))
    assert said, f"{place}: write its job, then this sentence: Way in: `module.name`."
    gone = [name for name in re.findall(r"`([^`]+)`", said["way_in"]) if not is_there(room, name)]
    assert not gone, f"{place}: {gone} is not in this folder: after `Way in:` write `module` or `module.name` of it"


def is_there(room: Path, name: str) -> bool:
    """Whether a room has this module, name in a module, file or command (`yesser plan`)."""
    if name.startswith("yesser "):
        return COMMANDS.get(name.removeprefix("yesser "), "").startswith(f"{'.'.join(room.parts)}.")
    first, _, rest = name.partition(".")
    if (ROOT / room / first / "__init__.py").is_file():
        return not rest or is_there(room / first, rest)
    module = room / f"{first}.py"
    if not (ROOT / module).is_file():
        return (ROOT / room / name).is_file()
    return not rest or rest in names_in(syntax_of(ROOT / module).body)
