"""Taking Kafka or PostgreSQL away for a while, and putting an older copy of PostgreSQL's data in its place."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.scenarios.system import System, until

ENDS_S = 60


@contextmanager
def away(system: System, service: str, number: signal.Signals = signal.SIGKILL) -> Iterator[None]:
    """A service (or a process) is ended and stays away until the block ends: its supervisor is held still meanwhile."""
    supervisor = system.supervisor.pid
    os.kill(supervisor, signal.SIGSTOP)
    try:
        pid = system.signal(service, number)
        until(lambda: _ended(pid), ENDS_S, f"{service} did not end")
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)


def _ended(pid: int) -> bool:
    """Gone, or waiting for its parent, which is held still, to take notice."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def until_back(system: System, service: str, pid_before: int) -> float:
    """Wait until the supervisor has started the service again and found it ready."""

    def is_back() -> bool:
        part = system.parts()[service]
        return part["pid"] not in (None, pid_before) and part["state"] == "ready"

    return until(is_back, 120, f"{service} did not come back")


def keep_copy(system: System, folder: Path) -> None:
    """Copy PostgreSQL's data, ended in order for it, to `folder`."""
    pid = system.pid("postgres")
    with away(system, "postgres", signal.SIGINT):
        shutil.copytree(system.home / "postgres" / "data", folder, symlinks=True)
        _own_alike(system.home / "postgres" / "data", folder)
    until_back(system, "postgres", pid)


def put_copy_back(system: System, folder: Path) -> None:
    """Put the copy in the place of the data, as after the loss of a disk. The log's key and checkpoint file stay."""
    pid = system.pid("postgres")
    with away(system, "postgres", signal.SIGINT):
        data = system.home / "postgres" / "data"
        shutil.rmtree(data)
        shutil.copytree(folder, data, symlinks=True)
        _own_alike(folder, data)
    until_back(system, "postgres", pid)


def _own_alike(source: Path, target: Path) -> None:
    """The owner and mode of every file: PostgreSQL may run as a user of its own."""
    for path in (source, *source.rglob("*")):
        state = path.lstat()
        twin = target / path.relative_to(source)
        os.chown(twin, state.st_uid, state.st_gid, follow_symlinks=False)
        if not twin.is_symlink():
            twin.chmod(state.st_mode & 0o7777)


def pause(seconds: float) -> None:
    """Let a while go by: what is proven is that nothing happens."""
    time.sleep(seconds)
