"""The log files of the stack: one per process, rotated by size when the process is started."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Final

ROTATE_BYTES: Final = 16 << 20
OLD_FILES_KEPT: Final = 3
TAIL_BYTES: Final = 4096


def rotate(path: Path, size_max: int = ROTATE_BYTES, kept: int = OLD_FILES_KEPT) -> None:
    """Rename a file larger than `size_max`: `.1` is the newest old file."""
    if not path.exists() or path.stat().st_size <= size_max:
        return
    for number in range(kept, 0, -1):
        older = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number}"))


def last_lines(file: BinaryIO, count: int) -> list[str]:
    """The last lines of a log; the file's position is its end afterwards."""
    end = position = file.seek(0, os.SEEK_END)
    data = b""
    while position and data.count(b"\n") <= count:
        position = max(0, position - TAIL_BYTES)
        file.seek(position)
        data = file.read(end - position)
    file.seek(end)
    lines = data.decode("utf-8", "replace").splitlines()
    return lines[-count:] if count else []


def log_tail(path: Path) -> str:
    """The last line that is not blank, for an error message."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ""
    written = [line.strip() for line in lines if line.strip()]
    return written[-1][:300] if written else ""
