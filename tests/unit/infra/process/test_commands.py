"""Processes are found by entry point: the table that `yesser up` goes by names exactly those that can be run."""

from __future__ import annotations

import subprocess
import sys

from infra.embedded.processes.signals import PROCESSES
from infra.process.commands import process_entries


def test_every_process_of_the_stack_can_be_run_and_every_other_one_is_unknown() -> None:
    assert set(process_entries()) == {process.name for process in PROCESSES}


def test_every_factory_can_be_imported() -> None:
    assert all(callable(entry.load()) for entry in process_entries().values())


HALF_DEAD = """
import asyncio, uvloop
from infra.process import tasks
tasks.watch_tasks.__defaults__ = (0.05,)
from infra.process.health import Readiness
from infra.process.commands import serve
from infra.settings import Settings

async def fail():
    raise KeyError("a writer's bug")

async def work(stop):
    kept = asyncio.create_task(fail(), name="a writer")
    try:
        await stop.wait()
    finally:
        print("cleaned up", flush=True)

async def give_up(stop):
    raise SystemExit(78)

uvloop.run(serve(Settings(), {work}, lambda: Readiness(True)))
"""


def _serve(work: str) -> subprocess.CompletedProcess[str]:
    script = HALF_DEAD.replace("{work}", work)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)


def test_a_process_cleans_up_and_ends_when_a_task_of_it_failed_unseen() -> None:
    done = _serve("work")
    assert done.returncode == 70, done.stderr
    assert done.stdout.startswith("cleaned up")
    assert "The task 'a writer' failed" in done.stdout
    assert "a writer's bug" in done.stdout


def test_the_exit_code_of_the_work_is_that_of_the_process() -> None:
    assert _serve("give_up").returncode == 78
