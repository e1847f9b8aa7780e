"""A stack for tests and benches.

    with running_stack(home, only=("kafka", "postgres")) as settings:
        ...

The stack is that of `yesser up --detach`, with a supervisor of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

import psutil

from infra.data_dir import DataDir
from infra.embedded.plan import Wanted, drawn_ports
from infra.embedded.processes.identity import KILLED_WITHIN_S, LOOK_EVERY_S, running, still_living
from infra.embedded.processes.log_tail import log_tail, rotate
from infra.embedded.processes.signals import SEPARATE
from infra.embedded.supervisor import end_orphans, is_supervised
from infra.errors import StackError
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from infra.stack_record import BROKERS, StackRecord

START_DEADLINE_S: Final = 900.0
"""The first start of a machine downloads Kafka."""
STOP_DEADLINE_S: Final = 36.0
"""Longer than a supervisor takes to stop everything in order. Then it is killed, and its children are ended in a
quarter of the usual time, so that stopping takes at most a minute."""
ORPHANS_TIME_SHARE: Final = 0.25

Progress = Callable[[str], None]


def start_stack(settings: Settings, wanted: Wanted, progress: Progress = lambda _: None) -> StackRecord:
    """Start a stack in the background and wait until it is ready; returns its record.

    A running stack is waited for, also one that another command starts at the same time. A halted process does not
    block: the record is then not `ready`. Raises StackError where the running stack lacks what is wanted, and with the
    supervisor's last message when it gives up.
    """
    home = DataDir.at(settings.home)
    home.create()
    last_words = log_tail(_progress_file(home))
    supervisor = None if is_supervised(home) else _spawn_supervisor(home, wanted)
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline:
        record = home.read_record()
        if _supervisor_of(record):
            if missing := ", ".join(wanted.missing_from(record, settings)):
                raise StackError(
                    f"The stack already runs without {missing}: stop it with `yesser down`, then try again."
                )
            if record.ready or _needs_an_operator(record):
                return record
        words = log_tail(_progress_file(home))
        if words != last_words:
            progress(last_words := words)
        if supervisor is not None and supervisor.poll() is not None:
            if is_supervised(home):
                supervisor = None  # that of another command was first
                continue
            words = log_tail(home.log("supervisor")).removeprefix("yesser: ")
            raise StackError(words or "The supervisor ended without a message.")
        if supervisor is None and not is_supervised(home):
            supervisor = _spawn_supervisor(home, wanted)
        time.sleep(LOOK_EVERY_S)
    raise StackError(f"The stack was not ready after {START_DEADLINE_S:.0f} s: see {home.logs}.")


def _needs_an_operator(record: StackRecord) -> bool:
    """Whether everything has started, and a process halted or one of three brokers failed: the operator needs the rest
    of the stack."""
    may_fail = BROKERS if record.brokers else ()
    failed = {name for name, part in record.parts.items() if name in may_fail and part.state == "failed"}
    states = {"halted" if name in failed else part.state for name, part in record.parts.items()}
    return "halted" in states and states <= {"halted", "ready"}


def stop_stack(settings: Settings, deadline_s: float = STOP_DEADLINE_S) -> bool:
    """Stop the stack of this home and any process of a killed supervisor; returns whether anything ran.

    It takes at most a minute.
    """
    home = DataDir.at(settings.home)
    if not home.root.exists():
        return False
    supervisor, in_time = _end_supervisor(home, deadline_s)
    orphans = end_orphans(home, time_share=1.0 if in_time else ORPHANS_TIME_SHARE)
    return supervisor or orphans > 0


def _end_supervisor(home: DataDir, deadline_s: float) -> tuple[bool, bool]:
    """Signal the supervisor, kill it when its time is over; returns whether one ran, and whether it ended in time."""
    deadline = time.monotonic() + deadline_s
    supervisor: psutil.Process | None = None
    while is_supervised(home) or (supervisor is not None and still_living([supervisor], 0)):
        recorded = _supervisor_of(home.read_record())
        if supervisor is None and recorded is not None:
            supervisor = recorded
            with suppress(psutil.NoSuchProcess):
                supervisor.send_signal(signal.SIGTERM)
        if time.monotonic() > deadline:
            if supervisor is None:
                raise StackError(f"Another command holds {home.lock}: wait until it has ended, then try again.")
            with suppress(psutil.NoSuchProcess):
                supervisor.kill()
            still_living([supervisor], KILLED_WITHIN_S)
            return True, False
        time.sleep(LOOK_EVERY_S)
    return supervisor is not None, True


@contextmanager
def running_stack(
    home: Path,
    *,
    only: Iterable[str] | None = None,
    replicas: Mapping[str, int] | None = None,
    prepared: bool = True,
    tls: bool = False,
    brokers: Literal["1", "3"] | None = None,
) -> Iterator[Settings]:
    """A stack for the length of a `with`; yields its settings. `prepared` creates tables, topics and rights.

    Each process has its own part, unless `only` names others. It ends with this process, even if that is killed.
    """
    settings = Settings(home=home)
    wanted = Wanted(
        frozenset(only or SEPARATE), replicas or {}, prepared, while_pid=os.getpid(), tls=tls, brokers=brokers
    )
    start_stack(settings, wanted)
    try:
        yield settings
    finally:
        stop_stack(settings)


def _spawn_supervisor(home: DataDir, wanted: Wanted) -> subprocess.Popen[bytes]:
    log = home.log("supervisor")
    rotate(log)
    rotate(_progress_file(home))
    command = subprocess_command("up", "--only", ",".join(sorted(wanted.only)))
    for name, count in wanted.replicas.items():
        command += ["--replicas", f"{name}={count}"]
    if not wanted.prepared:
        command.append("--unprepared")
    if wanted.tls:
        command.append("--tls")
    if wanted.brokers is not None:
        command += ["--brokers", wanted.brokers]
    if wanted.while_pid is not None:
        command += ["--while-pid", str(wanted.while_pid)]
    with log.open("ab") as file, _progress_file(home).open("ab") as progress:
        supervisor = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=progress,
            stderr=file,
            env=os.environ | {"YESSER_HOME": str(home.root)} | (drawn_ports() if wanted.beside_another else {}),
            start_new_session=True,
        )
    # Waits for it, so that it leaves no zombie.
    threading.Thread(target=supervisor.wait, daemon=True).start()
    return supervisor


def _progress_file(home: DataDir) -> Path:
    return home.logs / "up.progress"


def _supervisor_of(record: StackRecord) -> psutil.Process | None:
    return None if record.supervisor is None else running(record.supervisor)
