"""Says in one sentence what this machine lacks for `make`, and how to get it.

Runs before anything is installed, with whatever Python there is: old syntax, standard library only.
"""

import importlib.util
import os
import shutil
import sys

PYTHON_MIN = (3, 11)
FREE_BYTES_MIN = 2 << 30


def complaint(version, modules, free_bytes, platform):  # type: ignore[no-untyped-def]
    """The first thing that is missing, or None. `modules` are those that can be imported."""
    if tuple(version[:2]) < PYTHON_MIN:
        return (
            "Python %d.%d or newer is needed, this is %d.%d: install one, or name it: make PYTHON=/path/to/python3.11"
            % (PYTHON_MIN + tuple(version[:2]))
        )
    if platform.startswith("win"):
        return "Windows itself is not supported: use the Windows Subsystem for Linux (WSL 2)."
    for module in ("venv", "ensurepip"):
        if module not in modules:
            return (
                "This Python has no module %s: install it (on Debian and Ubuntu: apt install python3-venv), "
                "or name another Python: make PYTHON=/path/to/python3" % module
            )
    if free_bytes < FREE_BYTES_MIN:
        return "Only %d MiB are free here and 2048 MiB are needed: free some space, or clone to another disk." % (
            free_bytes >> 20
        )
    return None


def main():  # type: ignore[no-untyped-def]
    modules = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name)]
    found = complaint(sys.version_info, modules, shutil.disk_usage(os.getcwd()).free, sys.platform)
    if found:
        sys.exit(found)


if __name__ == "__main__":
    main()
