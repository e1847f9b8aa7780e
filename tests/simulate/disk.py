"""What a folder's disk keeps when its machine loses power: contents and names that were synced, and nothing else."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

_PRIVATE: Final = 0o600


class Disk:
    """A folder without folders in it. What it holds when this is made has been synced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._synced: dict[int, bytes] = {}
        self._kept_open: list[int] = []
        """While a file is open, no other gets its number."""
        for path in folder.iterdir():
            with path.open("rb") as file:
                self.synced(file.fileno())
        self._names = self._current_names()

    def synced(self, descriptor: int) -> None:
        """`fsync` of a file or of the folder was called."""
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            if self.folder.exists() and found.st_ino == self.folder.stat().st_ino:
                self._names = self._current_names()
        elif stat.S_ISREG(found.st_mode):
            self._kept_open.append(os.dup(descriptor))
            reader = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY)
            try:
                self._synced[found.st_ino] = os.pread(reader, found.st_size, 0)
            finally:
                os.close(reader)

    def lost_power(self, *, newest_names: bool) -> dict[str, bytes]:
        """The files that are found afterwards; of names that were not synced either all are kept, or none. A file that
        was written since it was synced is torn."""
        now = {entry.inode(): Path(entry.path).read_bytes() for entry in os.scandir(self.folder)}
        names = self._current_names() if newest_names else self._names
        found = {}
        for name, number in names.items():
            synced = self._synced.get(number, b"")
            found[name] = synced if now.get(number, synced) == synced else b""
        return found

    def restart(self, files: dict[str, bytes]) -> None:
        """The machine is on again, with these files."""
        for path in self.folder.iterdir():
            path.unlink()
        for name, content in files.items():
            path = self.folder / name
            path.write_bytes(content)
            path.chmod(_PRIVATE)
        self.close()
        self.__init__(self.folder)  # type: ignore[misc]

    def close(self) -> None:
        while self._kept_open:
            os.close(self._kept_open.pop())

    def _current_names(self) -> dict[str, int]:
        return {entry.name: entry.inode() for entry in os.scandir(self.folder)}
