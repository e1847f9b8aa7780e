"""A child is restarted, with growing waits; one that never gets ready fails with the last line of its log."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from infra.embedded.processes.identity import Ending
from infra.embedded.processes.managed_process import Child, ChildPlan, restart_wait_s
from infra.embedded.processes.record import ProcessRecord
from infra.embedded.servers.ports import HOST, Ports
from infra.errors import StackError

SLEEP = ("sleep", "60")


def _child(folder: Path, command: Sequence[str], *, ready: bool = True, deadline_s: float = 5.0) -> Child:
    async def is_ready() -> bool:
        return ready

    plan = ChildPlan(
        "child",
        command=lambda: command,
        ready=is_ready,
        log=folder / "child.log",
        environment=lambda: os.environ,
        ending=Ending(deadline_s=deadline_s),
    )
    return Child(plan, ProcessRecord("child"), lambda: None)


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.02)


def test_the_first_restart_is_quick_and_the_wait_is_capped() -> None:
    assert [restart_wait_s(deaths) for deaths in (1, 2, 3, 4, 5, 6, 100)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


async def test_a_killed_child_comes_back_as_another_process(tmp_path: Path) -> None:
    child = _child(tmp_path, SLEEP)
    child.start()
    await child.until_ready(10)
    first = child.record.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await _until(lambda: child.record.pid not in (first, None) and child.record.state == "ready")
    assert child.record.restarts == 1
    await child.stop()
    assert child.record.pid is None


async def test_a_child_that_halts_has_started_and_says_why(tmp_path: Path) -> None:
    child = _child(tmp_path, SLEEP, ready=False)

    async def halted() -> str | None:
        return "run `yesser recover`"

    child.plan = replace(child.plan, halted=halted)
    child.start()
    await child.until_ready(10)
    assert (child.record.state, child.record.halted) == ("halted", "run `yesser recover`")
    await child.stop()
    assert child.record.halted is None


async def test_a_child_that_keeps_dying_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    child = _child(tmp_path, (sys.executable, "-c", "raise SystemExit('the key is missing')"), ready=False)
    child.start()
    with pytest.raises(
        StackError, match=r"child ended 3 times before it was ready \(exit code 1\): the key is missing"
    ):
        await child.until_ready(20)
    assert child.record.state == "failed"
    await child.stop()


async def test_a_child_that_never_gets_ready_is_named_after_its_deadline(tmp_path: Path) -> None:
    child = _child(tmp_path, SLEEP, ready=False)
    child.start()
    with pytest.raises(StackError, match=r"child was not ready after 0 s"):
        await child.until_ready(0.3)
    await child.stop()


async def test_a_child_that_does_not_end_in_time_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    child = _child(tmp_path, (sys.executable, "-c", deaf), deadline_s=0.2)
    child.start()
    await child.until_ready(10)
    await _until(lambda: "deaf" in (tmp_path / "child.log").read_text("utf-8"))
    await child.stop()
    assert child.record.state == "stopped"


async def test_what_cannot_be_prepared_is_told_as_it_is(tmp_path: Path) -> None:
    def fail() -> None:
        raise StackError("no space is left")

    async def never() -> bool:
        return False

    plan = ChildPlan("child", lambda: SLEEP, never, tmp_path / "child.log", dict, prepare=fail)
    child = Child(plan, ProcessRecord("child"), lambda: None)
    child.start()
    with pytest.raises(StackError, match="no space is left"):
        await child.until_ready(10)
    await child.stop()


async def test_a_child_that_was_ready_comes_back_once_the_system_lets_it(tmp_path: Path) -> None:
    refusals: list[Exception] = []

    def prepare() -> None:
        if refusals:
            raise refusals.pop()

    child = _child(tmp_path, SLEEP)
    child.plan = replace(child.plan, prepare=prepare)
    child.start()
    await child.until_ready(10)
    first = child.record.pid
    refusals += [StackError("no space is left"), OSError(28, "No space left on device")]
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await _until(lambda: child.record.pid not in (first, None) and child.record.state == "ready")
    assert (child.record.restarts, refusals) == (3, [])
    await child.stop()


@pytest.mark.parametrize("error", [OSError("no more files"), asyncio.CancelledError()], ids=["error", "cancellation"])
async def test_a_child_whose_probe_fails_is_asked_again(tmp_path: Path, error: BaseException) -> None:
    errors = [error]

    async def ready() -> bool:
        if errors:
            raise errors.pop()
        return True

    child = _child(tmp_path, SLEEP)
    child.plan = replace(child.plan, ready=ready)
    child.start()
    await child.until_ready(10)
    assert (child.record.state, child.record.restarts) == ("ready", 0)
    await child.stop()


async def test_a_port_that_was_taken_after_it_was_chosen_is_drawn_anew_for_the_next_start(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        ports = Ports({"port": taken.getsockname()[1]})
        listen = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"
        child = _child(tmp_path, SLEEP)
        child.plan = replace(
            child.plan, ports=ports, command=lambda: (sys.executable, "-c", listen, str(ports["port"]))
        )
        child.start()
        await child.until_ready(10)
        assert ports["port"] != taken.getsockname()[1]
        await child.stop()


async def test_a_keeper_that_fails_by_a_bug_still_lets_its_process_be_stopped(tmp_path: Path) -> None:
    async def ready() -> bool:
        raise KeyError("a bug")

    child = _child(tmp_path, SLEEP)
    child.plan = replace(child.plan, ready=ready)
    child.start()
    with pytest.raises(KeyError):
        await child.until_ready(10)
    pid = child.record.pid
    assert pid is not None
    await child.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
