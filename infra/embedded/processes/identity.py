"""The identity of a recorded process: its pid and when it started, since the system reuses pids."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from infra.stack_record import Identity, Start

START_TOLERANCE_S: Final = 2.0
"""Seconds since 1970 are derived from the time of the boot, which changes when the clock is corrected."""
KILLED_WITHIN_S: Final = 5.0
LOOK_EVERY_S: Final = 0.05
_MARK: Final = "YESSER_STACK_PART"
_PROC: Final = Path("/proc")
_STARTED_FIELD: Final = 22
"""Of `/proc/PID/stat`, counted from 1."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The signal that ends a process, and the time before it is killed."""

    signal: int = signal.SIGTERM
    deadline_s: float = 15.0

    def within(self, share: float) -> Ending:
        return Ending(self.signal, self.deadline_s * share)


def identity_of(pid: int) -> Identity | None:
    """The identity of a running process, or None."""
    try:
        return _identity(psutil.Process(pid))
    except psutil.Error:
        return None


def running(identity: Identity) -> psutil.Process | None:
    """The process, if it is still the same one."""
    try:
        process = psutil.Process(identity.pid)
        same = _started_then(process, identity.started)
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def _started_then(process: psutil.Process, started: Start) -> bool:
    if isinstance(started, str):
        return _identity(process).started == started
    return abs(process.create_time() - started) < START_TOLERANCE_S


def _identity(process: psutil.Process) -> Identity:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        stat = (_PROC / str(process.pid) / "stat").read_bytes()
    except OSError:
        return Identity(process.pid, process.create_time())
    # The second field is the program's name in brackets, which may have spaces.
    ticks = stat.rpartition(b")")[2].split()[_STARTED_FIELD - 3]
    return Identity(process.pid, f"{boot} {int(ticks)}")


def mark(home: Path, name: str) -> dict[str, str]:
    """Variables that mark a child, in case its pid cannot be recorded (a full disk)."""
    return {_MARK: f"{name} of {home}"}


def marked_children(home: Path) -> list[tuple[str, Identity]]:
    """The running children of a home, found by their environment; without those that they started themselves."""
    processes = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # it has just ended, or is another user's
            name, _, marked = process.environ().get(_MARK, "").partition(" of ")
            if marked == str(home) and os.getsid(process.pid) == process.pid:
                processes.append((name, _identity(process)))
    return processes


def end_all(endings: Iterable[tuple[Identity, Ending]]) -> int:
    """Signal every process, and kill those that have not ended by their deadline; returns how many were running."""
    signalled = [(process, ending) for identity, ending in endings if (process := running(identity))]
    for process, ending in signalled:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(ending.signal)
    longest = max((ending.deadline_s for _, ending in signalled), default=0.0)
    left = still_living((process for process, _ in signalled), longest)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    still_living(left, KILLED_WITHIN_S)
    return len(signalled)


def still_living(processes: Iterable[psutil.Process], timeout_s: float) -> list[psutil.Process]:
    """The processes that have not ended within the timeout. A zombie has ended."""
    deadline = time.monotonic() + timeout_s
    living = [process for process in processes if _lives(process)]
    while living and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)
        living = [process for process in living if _lives(process)]
    return living


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
