"""An archive of the classes that Kafka loads, which halves the time of its start. Stacks of a machine share it.

The first broker records its classes; a later start makes the archive of them. Both take seconds of a processor, and
the second one is no part of a broker's end, which has a deadline. While one supervisor records or makes it, which a
lock says, the others start their brokers without.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

import structlog

from infra.errors import StackError
from infra.observability.logs import first_line

ENDED: Final = (0, 128 + signal.SIGTERM)
"""The exit codes of a broker that ended by itself. Of one that was killed, the list of classes may have no end."""

logger = structlog.get_logger("supervisor")


class ClassArchive:
    """The archive at `path`, in a folder that other stacks use too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._classes = path.with_name(f"{path.name}.classes")
        self._unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        self._lock: BinaryIO | None = None

    def prepare(self, make: Callable[[Path, Path], None]) -> Path | None:
        """The archive for a start; None where there is none yet. `make` makes it (its second argument) of a list of
        classes; where it fails the broker starts without, and another one records anew."""
        if not self.path.exists() and self._locked():
            for left in self.path.parent.glob(f".{self.path.name}.*"):
                left.unlink(missing_ok=True)
            if self._classes.exists():
                self._make(make)
                self._unlock()
        return self.path if self.path.exists() else None

    def options(self) -> list[str]:
        """Java's options by which the broker records its classes, if it is its turn."""
        return [] if self._lock is None else ["-XX:AOTMode=record", f"-XX:AOTConfiguration={self._unfinished}"]

    def ended(self, code: int | None, *, was_ready: bool) -> None:
        """Keep the list of a broker that ended by itself, unless it was never ready and so loaded too few classes."""
        if self._lock is None:
            return
        if was_ready and code in ENDED and self._unfinished.exists():
            self._unfinished.replace(self._classes)
        self._unfinished.unlink(missing_ok=True)
        self._unlock()

    def _make(self, make: Callable[[Path, Path], None]) -> None:
        try:
            make(self._classes, self._unfinished)
            self._unfinished.replace(self.path)
        except (OSError, StackError) as error:
            logger.warning("Kafka starts without an archive of its classes", error=first_line(error))
            self._unfinished.unlink(missing_ok=True)
        self._classes.unlink(missing_ok=True)

    def _locked(self) -> bool:
        """Take the lock, which the system frees when the process ends; whether that is possible."""
        try:
            lock = self.path.with_name(f"{self.path.name}.lock").open("ab")
        except OSError:  # the folder is for reading only
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None
