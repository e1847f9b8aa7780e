"""The disk is full while parts of the stack die: nothing is called ready that is not, and all comes back with space."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.services import pause
from tests.scenarios.system import System, own_folder, running_system, until

pytestmark = [pytest.mark.stack, pytest.mark.accept]

DISK = "640m"
PIECE = bytes(1 << 16)
FULL_S = 12
KILLED = ("kafka", "relay", "gateway")


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of its own in memory; skipped where this user may not mount one."""
    options = ("-t", "tmpfs", "-o", f"size={DISK},mode=755", "tmpfs", str(folder))
    done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(ballast: Path) -> None:
    """Take all the space there is."""
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(PIECE)
        except OSError:
            pass


@pytest.fixture
def system() -> Iterator[System]:
    """A system whose whole home lies on the small disk."""
    with own_folder() as folder, small_disk(folder), running_system(folder / "home") as running:
        yield running


def is_ready(system: System) -> bool:
    return bool(system.ask("status", exits=(0, 1))["ready"])


def test_what_dies_on_a_full_disk_comes_back_when_there_is_space(system: System) -> None:
    system.add_agencies([("health", "agency")])
    system.settle()
    supervisor = system.supervisor
    before = {part: system.pid(part) for part in KILLED}
    ballast = system.home / "ballast"
    fill(ballast)
    for part in KILLED:
        system.kill(part)
    pause(FULL_S)
    fill(ballast)
    status = system.ask("status", exits=(1,))
    assert status["running"], "the supervisor lives"
    assert not status["ready"]
    assert status["kafka"]["state"] != "ready"
    ballast.unlink()
    until(lambda: is_ready(system), 90, "the stack is not ready")
    assert system.supervisor == supervisor, "nobody started it again"
    assert {part: system.pid(part) for part in KILLED}.items().isdisjoint(before.items())
    system.add_agencies([("labour", "agency")])
    system.settle()
    said = [line["event"] for line in system.log_lines("supervisor")]
    assert said.count("stack.json cannot be written") == said.count("stack.json is written again") == 1, json.dumps(
        said
    )
