"""Each room's `__init__.py` is one paragraph: its job, its way in and its imports, as the modules have them.

A room is a folder with modules, and all that is below it. Of another top package it names the package, of its own the
room or module beside it or beside a room around it, such as `infra.settings` and `consumers.console.web`. The modules
of an inner room around it have that room's name. An import inside a function counts like any other.
"""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Final

from tests.every import every
from tests.paths import ROOMS, ROOT, names_in, syntax_of

FOLDERS: Final = [path.parent.relative_to(ROOT) for top in ROOMS for path in sorted((ROOT / top).rglob("__init__.py"))]
FORM: Final = re.compile(r"\S.*\. Way in: (?P<way_in>.*`.+`.*)\. Imports: (?P<imports>[^:]+)\.")
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
    assert docstring, f"{place}: write one paragraph: its job. Way in: `module.name`. Imports: {listed(room)}."
    assert len(module.body) == 1, f"{place}: move its code into a module"
    assert "\n\n" not in docstring, f"{place}: write one paragraph, without an empty line"

    said = FORM.fullmatch(" ".join(docstring.split()))
    assert said, f"{place}: write its job, then these two sentences: Way in: `module.name`. Imports: {listed(room)}."
    gone = [name for name in re.findall(r"`([^`]+)`", said["way_in"]) if not is_there(room, name)]
    assert not gone, f"{place}: {gone} is not in this folder: after `Way in:` write `module` or `module.name` of it"
    assert said["imports"] == listed(room), f"{place}: its imports are others: write Imports: {listed(room)}."


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


def listed(room: Path) -> str:
    """What a room imports, as its paragraph says it."""
    imported = {name for module in (ROOT / room).rglob("*.py") for name in imports(module)}
    inside = ".".join(room.parts)
    others = {seen_from(room, name) for name in imported if not f"{name}.".startswith(f"{inside}.")}
    return ", ".join(f"`{name}`" for name in sorted(others, key=by_floor)) or "nothing"


@cache
def imports(module: Path) -> frozenset[str]:
    """The full name of everything that a module imports from the top packages."""
    names: list[str] = []
    for node in ast.walk(syntax_of(ROOT / module)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.relative_to(ROOT)}:{node.lineno}: write the import with its full name"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return frozenset(name for name in names if name.split(".")[0] in ROOMS)


def seen_from(room: Path, name: str) -> str:
    """How a room names what it imports: by what both are in, and one name more, unless that is a module around it."""
    parts = name.split(".")
    shared = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(room.parts, parts, strict=False))))
    is_named = shared < 2 or ROOT.joinpath(*parts[: shared + 1], "__init__.py").is_file()
    return ".".join(parts[: shared + 1 if is_named else shared])


def by_floor(name: str) -> tuple[int, str]:
    return ROOMS.index(name.split(".")[0]), name
