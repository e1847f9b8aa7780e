"""A child is restarted, with growing waits; one that never gets ready fails with the last line of its log."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from structlog.testing import capture_logs

from infra.embedded.health import Readyz
from infra.embedded.processes.identity import Ending
from infra.embedded.processes.managed_process import Child, ChildPlan
from infra.embedded.servers.ports import HOST, Ports
from infra.errors import StackError
from infra.stack_record import ProcessRecord
from tests.world.waits import until

SLEEP = ("sleep", "60")


@asynccontextmanager
async def _started(
    folder: Path, argv: Sequence[str] = SLEEP, *, is_ready: bool = True, deadline_s: float = 5.0, **changes: Any
) -> AsyncIterator[Child]:
    """A child that was started; `changes` are members of its plan. At the end it is stopped."""
    plan = ChildPlan(
        "child",
        command=lambda: argv,
        answer=AsyncMock(return_value=Readyz(is_ready)),
        log=folder / "child.log",
        environment=lambda: os.environ,
        ending=Ending(deadline_s=deadline_s),
    )
    child = Child(replace(plan, **changes), ProcessRecord("child"), lambda: None)
    child.start()
    try:
        yield child
    finally:
        await child.stop()


async def test_a_child_that_halts_has_started_and_says_why(tmp_path: Path) -> None:
    halted = AsyncMock(return_value=Readyz(halted="run `yesser recover`"))
    async with _started(tmp_path, answer=halted) as child:
        await child.until_ready(10)
        assert (child.record.state, child.record.halted) == ("halted", "run `yesser recover`")
    assert child.record.halted is None


async def test_a_child_that_keeps_dying_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    why = r"child ended 3 times before it was ready \(exit code 1\): the key is missing"
    async with _started(tmp_path, ("sh", "-c", "echo the key is missing >&2; exit 1"), is_ready=False) as child:
        with pytest.raises(StackError, match=why):
            await child.until_ready(20)
        assert child.record.state == "failed"


async def test_a_child_that_never_gets_ready_is_named_with_its_deadline_or_its_fault(tmp_path: Path) -> None:
    async with _started(tmp_path, is_ready=False) as child:
        with pytest.raises(StackError, match=r"child was not ready after 0 s"):
            await child.until_ready(0.3)
    fault = Mock(side_effect=StackError("no space is left"))
    async with _started(tmp_path, is_ready=False, prepare=fault) as child:
        with pytest.raises(StackError, match="no space is left"):
            await child.until_ready(10)


async def test_a_child_that_does_not_end_in_time_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    async with _started(tmp_path, (sys.executable, "-c", deaf), deadline_s=0.2) as child:
        await child.until_ready(10)
        await until(lambda: "deaf" in (tmp_path / "child.log").read_text("utf-8"), "it is deaf")
    assert child.record.state == "stopped"


async def test_a_killed_child_comes_back_as_another_process_once_the_system_lets_it(tmp_path: Path) -> None:
    refusals = [StackError("no space is left"), OSError(28, "No space left on device")]
    prepare = Mock(side_effect=[None, *refusals, None])
    with capture_logs() as lines:
        async with _started(tmp_path, prepare=prepare) as child:
            await child.until_ready(10)
            first = child.record.pid
            assert first is not None
            os.kill(first, signal.SIGKILL)
            await until(lambda: child.record.pid not in (first, None) and child.record.state == "ready", "it is back")
            assert (child.record.restarts, prepare.call_count) == (3, 4)
    assert child.record.pid is None
    waits = [line["wait_s"] for line in lines if "wait_s" in line]
    assert 0.1 <= waits[0] < 0.2 <= waits[1] < 0.4 <= waits[2] < 0.8, "the first is quick, and each is longer"


async def test_a_child_whose_probe_fails_or_is_cancelled_is_asked_again(tmp_path: Path) -> None:
    answer = AsyncMock(side_effect=[OSError("no more files"), asyncio.CancelledError(), *[Readyz(ready=True)] * 1_000])
    async with _started(tmp_path, answer=answer) as child:
        await child.until_ready(10)
        assert (child.record.state, child.record.restarts) == ("ready", 0)


async def test_a_port_that_was_taken_after_it_was_chosen_is_drawn_anew_for_the_next_start(tmp_path: Path) -> None:
    listen = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"
    with socket.create_server((HOST, 0)) as taken:
        ports = Ports({"port": taken.getsockname()[1]})

        def command() -> tuple[str, ...]:
            return (sys.executable, "-c", listen, str(ports["port"]))

        async with _started(tmp_path, ports=ports, command=command) as child:
            await child.until_ready(10)
            assert ports["port"] != taken.getsockname()[1]


async def test_a_keeper_that_fails_by_a_bug_still_lets_its_process_be_stopped(tmp_path: Path) -> None:
    async with _started(tmp_path, answer=AsyncMock(side_effect=KeyError("a bug"))) as child:
        with pytest.raises(KeyError):
            await child.until_ready(10)
        pid = child.record.pid
        assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
