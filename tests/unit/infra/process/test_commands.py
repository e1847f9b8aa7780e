"""Processes are found by entry point: the table that `yesser up` goes by names exactly those that can be run."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from structlog.testing import capture_logs

from infra.embedded.processes.signals import PROCESSES
from infra.process import commands
from infra.process.commands import process_entries, serve
from infra.process.health import Readiness
from infra.process.tasks import watch_tasks
from infra.settings import Settings


def test_every_process_of_the_stack_can_be_run_and_every_other_one_is_unknown() -> None:
    assert set(process_entries()) == {process.name for process in PROCESSES}, (
        "the entry points `yesser.processes` (pyproject.toml, then `make setup`) are the rows of"
        " infra/embedded/processes/signals.py"
    )
    assert all(callable(entry.load()) for entry in process_entries().values())


async def test_a_process_cleans_up_and_ends_when_a_task_of_it_failed_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "watch_tasks", partial(watch_tasks, unseen_after_s=0.05))
    cleaned_up = False

    async def fail() -> None:
        raise KeyError("a writer's bug")

    async def work(stop: asyncio.Event) -> None:
        nonlocal cleaned_up
        kept = asyncio.create_task(fail(), name="a writer")
        try:
            await stop.wait()
        finally:
            cleaned_up = kept.done()

    with capture_logs() as lines, pytest.raises(SystemExit) as ended:
        await serve(Settings(), work, lambda: Readiness(True))
    assert (ended.value.code, cleaned_up) == (70, True)
    (line,) = lines
    assert "The task 'a writer' failed" in line["reason"]
    assert str(line["exc_info"]) == str(KeyError("a writer's bug"))


async def test_the_exit_code_of_the_work_is_that_of_the_process() -> None:
    async def give_up(_: asyncio.Event) -> None:
        raise SystemExit(78)

    with pytest.raises(SystemExit) as ended:
        await serve(Settings(), give_up, lambda: Readiness(True))
    assert ended.value.code == 78
