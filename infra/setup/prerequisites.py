"""Checks the prerequisites of `make`; prints the first that is missing and how to install it.

Runs before anything is installed, on any Python: old syntax, standard library only.
"""

# ruff: noqa: UP032 - old Pythons must be able to read this file
import importlib.util
import os
import shutil
import sys

if False:
    from collections.abc import Sequence  # for the type checker only

PYTHON_MIN = (3, 11)
FREE_BYTES_MIN = 2 << 30


def first_missing(version: "Sequence[int]", modules: "Sequence[str]", free_bytes: int, platform: str) -> "str | None":
    """The first missing prerequisite, or None. `modules` are those that can be imported."""
    running = tuple(version[:2])
    if running < PYTHON_MIN:
        return (
            "Python {}.{} or newer is needed, this is {}.{}: install one, "
            "or name it: make PYTHON=/path/to/python3.11".format(*(PYTHON_MIN + running))
        )
    if platform.startswith("win"):
        return "Windows itself is not supported: use the Windows Subsystem for Linux (WSL 2)."
    for module in ("venv", "ensurepip"):
        if module not in modules:
            return (
                "This Python has no module {}: install it (on Debian and Ubuntu: apt install python3-venv), "
                "or name another Python: make PYTHON=/path/to/python3".format(module)
            )
    if free_bytes < FREE_BYTES_MIN:
        return "Only {} MiB are free here and {} MiB are needed: free some space, or clone to another disk.".format(
            free_bytes >> 20, FREE_BYTES_MIN >> 20
        )
    return None


def main() -> None:
    modules = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name)]
    missing = first_missing(sys.version_info[:2], modules, shutil.disk_usage(os.getcwd()).free, sys.platform)
    if missing:
        sys.exit(missing)


if __name__ == "__main__":
    main()
