"""An event loop whose clock stands still while anything can run, and jumps to the next timer when nothing can.

Only answers of PostgreSQL come from outside. While one is awaited (`answering`), the clock waits with it: no time-out
ends because the machine is slow. A statement that waits for a lock of a suspended process is not answered before the
clock moves: after `BLOCKED_AFTER_S` real seconds it holds the clock back only while its server process has work.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import pytest

Result = TypeVar("Result")
P = ParamSpec("P")

BLOCKED_AFTER_S: Final = 0.4
CONNECTED_WITHIN_S: Final = 10.0
"""Real seconds. A new connection waits for no lock."""
LOOK_AGAIN_S: Final = 0.05
IDLE_S: Final = 0.02
"""Real seconds for which the loop sleeps where it has neither a timer nor an awaited answer."""
ROUNDS_MAX: Final = 200
ROUND_S: Final = 0.001
"""Time passes also while something runs all the time: after so many rounds of the loop without a pause, in each. The
client library asks again and again where nothing can be answered, and counts on a request taking its time."""
_REAL: Final = time.monotonic


class VirtualLoop(asyncio.SelectorEventLoop):
    """Threads are not used: what would wait for a disk runs at once, in order."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self._awaited: dict[int, tuple[float, int | None]] = {}
        self._number = 0
        self._unfinished: set[asyncio.Task[Any]] = set()
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self.now_s

    def create_task(self, *args: Any, **options: Any) -> asyncio.Task[Any]:
        """Nothing else may refer to a task of a killed process. It is kept, so that it is cancelled when the loop
        closes; freed after that, it would fail a later test."""
        task: asyncio.Task[Any] = super().create_task(*args, **options)
        self._unfinished.add(task)
        task.add_done_callback(self._unfinished.discard)
        return task

    @contextmanager
    def answering(self, pid: int | None = None) -> Iterator[None]:
        """An answer from outside is awaited in the block: that of this process, or a new connection."""
        self._number += 1
        number = self._number
        self._awaited[number] = _REAL(), pid
        try:
            yield
        finally:
            del self._awaited[number]

    def held_s(self) -> float:
        """For how many real seconds an answer still holds the clock back."""
        return max((_held_s(asked_at, pid) for asked_at, pid in self._awaited.values()), default=0.0)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except StopIteration as error:
            future.set_exception(RuntimeError(error))
        except BaseException as error:
            future.set_exception(error)
        return future


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self._rounds = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        events = super().select(0)
        if events or (timeout is not None and timeout <= 0):
            self._rounds += 1
            if self._rounds > ROUNDS_MAX:
                self._loop.now_s += ROUND_S
            return list(events)
        self._rounds = 0
        if held_s := self._loop.held_s():
            return list(super().select(held_s))
        if timeout is None:
            return list(super().select(IDLE_S))
        self._loop.now_s += timeout
        return []


def _held_s(asked_at: float, pid: int | None) -> float:
    left_s = asked_at + (CONNECTED_WITHIN_S if pid is None else BLOCKED_AFTER_S) - _REAL()
    return left_s if left_s > 0 else LOOK_AGAIN_S if pid is not None and _has_work(pid) else 0.0


def _has_work(pid: int) -> bool:
    """Whether the process runs, is to run, or waits for a disk: a busy machine answers late. Only Linux knows."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2][0] in "RD"
    except OSError:
        return False


def virtual_loop() -> VirtualLoop:
    """The running loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


@contextmanager
def virtual_runner() -> Iterator[asyncio.Runner]:
    """Runs coroutines on one virtual loop. `time.monotonic` is its clock meanwhile, also for the code under test; in
    other threads it stays the real one."""
    loop, thread = VirtualLoop(), threading.get_ident()

    def monotonic() -> float:
        return loop.now_s if threading.get_ident() == thread else _REAL()

    with pytest.MonkeyPatch.context() as patched, asyncio.Runner(loop_factory=lambda: loop) as runner:
        patched.setattr(time, "monotonic", monotonic)
        yield runner


def virtual(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Runs a test on a virtual loop of its own: a wait costs nothing, and no time-out ends because the machine is slow.
    Its fixtures are not asynchronous."""

    @wraps(test)
    def run(*args: P.args, **options: P.kwargs) -> None:
        with virtual_runner() as runner:
            runner.run(test(*args, **options))

    vars(run).pop("__wrapped__")  # pytest-asyncio would take it for a coroutine function
    vars(run)["__signature__"] = signature(test)
    return run
