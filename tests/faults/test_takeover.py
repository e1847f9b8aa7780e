"""Two of each: one works, the other takes over within ten seconds, and who was stopped writes nothing afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from infra.postgres.connection import connect
from infra.principals import CONSUMERS
from infra.settings import Settings
from tests.faults.killing import PROCESSES
from tests.oracle.history import Profile, generate
from tests.scenarios.figures import tell
from tests.scenarios.judge import judge
from tests.scenarios.load import differences, publish_all, register
from tests.scenarios.system import System, fresh_system, until

pytestmark = [pytest.mark.stack, pytest.mark.accept]

TAKE_OVER_S = 10.0
PROFILE = Profile(agencies=("yesser", "interior", "health", "justice"))
LEASES = {name: f"consumer.{name}" if name in CONSUMERS else name for name in PROCESSES}


def copies(system: System, name: str) -> tuple[str, str]:
    """(who works, who stands by)."""
    roles = {copy: system.readiness(copy)[1].get("role") for copy in (name, f"{name}-2")}
    working = [copy for copy, role in roles.items() if role == "active"]
    standing_by = [copy for copy, role in roles.items() if role == "standby"]
    assert len(working) == len(standing_by) == 1, roles
    return working[0], standing_by[0]


def until_one_works(system: System, name: str) -> tuple[str, str]:
    """Wait for the usual state: one works and one stands by."""

    def settled() -> bool:
        try:
            copies(system, name)
        except AssertionError:
            return False
        return True

    until(settled, 60, f"it is not one {name} that works and one that stands by")
    return copies(system, name)


async def _epoch(settings: Settings, lease: str) -> tuple[int, bool]:
    connection = await connect(settings, "judge")
    try:
        row = await connection.fetchrow(
            "SELECT epoch, expires_at > clock_timestamp() AS held FROM platform.lease WHERE name = $1", lease
        )
        assert row is not None
        return row["epoch"], row["held"]
    finally:
        await connection.close()


def epoch(system: System, name: str) -> tuple[int, bool]:
    """Of the lease of a process: its epoch, and whether somebody holds it now."""
    return asyncio.run(_epoch(system.settings, LEASES[name]))


def until_taken_over(system: System, name: str, before: int, standby: str) -> float:
    """Seconds until the standby holds the lease of a later epoch and works."""

    def taken() -> bool:
        now, held = epoch(system, name)
        return now > before and held and system.readiness(standby)[1].get("role") == "active"

    return until(taken, 3 * TAKE_OVER_S, f"nobody took over from {name}")


def test_owners_that_are_stopped_and_continued_under_load_write_nothing(tmp_path: Path) -> None:
    """A system with two of each process."""
    history = generate(41, 60_000, PROFILE)

    def stop_and_continue(running: list[Future[Any]]) -> None:
        for name in PROCESSES:
            under_load = not all(future.done() for future in running)
            owner, seconds = stop_until_taken_over(system, name)
            tell(f"{name}: taken over {seconds:.1f} s after SIGSTOP{' under load' if under_load else ''}")
            assert seconds < TAKE_OVER_S
            until(lambda owner=owner: gave_up(system, owner), 30, f"{owner} works on")  # type: ignore[misc]

    with fresh_system(dict.fromkeys(PROCESSES, 2)) as system:
        register(system, history)
        reports = publish_all(system, history, tmp_path, meanwhile=stop_and_continue)
        assert differences(reports, history) == []
        judge(system).require_clean()


def stop_until_taken_over(system: System, name: str) -> tuple[str, float]:
    """SIGSTOP for the owner until its standby works, then SIGCONT; the owner's name and the seconds."""
    owner, standby = until_one_works(system, name)
    before, _ = epoch(system, name)
    pid = system.signal(owner, signal.SIGSTOP)
    try:
        seconds = until_taken_over(system, name, before, standby)
        time.sleep(1)
    finally:
        os.kill(pid, signal.SIGCONT)
    return owner, seconds


def gave_up(system: System, owner: str) -> bool:
    """Whether it stands by, and said why: it was superseded, or the database had ended its session."""
    said = " ".join(str(line.get("event")) for line in system.log_lines(owner)[-20:])
    told = "took over" in said or "wait" in said
    return told and system.readiness(owner)[1].get("role") == "standby"
