"""`yesser down` is over within a minute, whatever hangs, and leaves nothing running."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from tests.faults.killing import EVERYTHING
from tests.scenarios.figures import tell
from tests.scenarios.system import fresh_system

pytestmark = [pytest.mark.stack, pytest.mark.accept]

WITHIN_S = 60


def test_down_ends_a_stack_of_which_every_process_hangs() -> None:
    with fresh_system() as system:
        pids = [system.pid(part) for part in EVERYTHING]
        pids.append(system.supervisor.pid)
        for pid in reversed(pids):
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        assert system.run("down")["stopped"]
        took_s = time.monotonic() - began
        tell(f"down of a stack that hangs: {took_s:.0f} s")
        assert took_s < WITHIN_S
        assert not [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]
