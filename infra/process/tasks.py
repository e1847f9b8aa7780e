"""Tasks that end together without losing an error, and waits that a stop interrupts.

`watch_tasks` reports the error of any other task of the process that nothing else retrieves.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, ParamSpec, TypeAlias, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
Work: TypeAlias = Coroutine[Any, Any, object] | Generator[Any, None, object]
Job: TypeAlias = Coroutine[Any, Any, object] | asyncio.Future[None]

CANCEL_AGAIN_S: Final = 10.0
"""Longer than any clean-up takes."""
TIME_SLICE_S: Final = 0.005
"""Longest that a loop keeps other tasks waiting."""
UNSEEN_AFTER_S: Final = 10.0
"""A task that waits for another has retrieved its error by then."""


class TaskFailed(Exception):
    """A task failed and nothing retrieved its error, which is the cause. A bug: its work is no longer done."""


class Interrupted(ConnectionError):
    """A client library cancelled its own work, because its connection was lost: try again."""


async def until_one_ends(*jobs: Job) -> None:
    """Run the jobs until one returns or fails; cancel the others, wait for them, and raise the first error.

    If several fail at once, the error of the first in the argument list is raised. A job that was cancelled, but not
    from here, raises `Interrupted`: as a cancellation it would end the caller unnoticed.
    """
    tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        errors = [_error_of(task) for task in tasks if task in done]
    finally:
        await _end(tasks)
    for error in errors:
        if error is not None:
            raise error


def _error_of(task: asyncio.Future[Any]) -> BaseException | None:
    """A task's error. Retrieved at once, since ending the other tasks may take a while."""
    return Interrupted(Interrupted.__doc__) if task.cancelled() else task.exception()


@contextmanager
def stray_cancellation_as_error() -> Iterator[None]:
    """Raise `Interrupted` for a cancellation that a library raises in the block and this task did not receive."""
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise Interrupted(Interrupted.__doc__) from error


async def in_thread(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a call that waits for a disk beside the event loop.

    It is never left behind: a cancellation is raised once the call has ended, so that what follows finds its work done.
    """
    running = asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs))
    cancelled = False
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        retrieve_error(running)
        raise asyncio.CancelledError
    return running.result()


def retrieve_error(task: asyncio.Future[Any]) -> None:
    """A done callback of a task that several wait for: once all of them are gone, its error is nobody's."""
    if not task.cancelled():
        task.exception()


def watch_tasks(unseen_after_s: float = UNSEEN_AFTER_S) -> asyncio.Future[None]:
    """Watch every task that the running loop creates from now on.

    The future fails with `TaskFailed` once a task has failed and nothing has retrieved its error for
    `unseen_after_s`. asyncio reports such an error only when the task is garbage-collected, which a reference to the
    task prevents.
    """
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[None] = loop.create_future()

    def create(loop: asyncio.AbstractEventLoop, work: Work, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
        task.add_done_callback(note)
        return task

    def note(task: asyncio.Task[Any]) -> None:
        if task._log_traceback:  # it failed; `task.exception()` would count as retrieved
            loop.call_later(unseen_after_s, report, task)

    def report(task: asyncio.Task[Any]) -> None:
        if task._log_traceback and not failed.done():
            error = TaskFailed(f"The task {task.get_name()!r} failed and nothing retrieved its error.")
            error.__cause__ = task.exception()
            failed.set_exception(error)

    loop.set_task_factory(create)
    return failed


async def _end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel repeatedly: before Python 3.12 `asyncio.wait_for`, which libraries call, may lose a cancellation."""
    running = set(tasks)
    # At once: another task may take longer to end than an error may stay unseen.
    for task in running:
        task.add_done_callback(retrieve_error)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=CANCEL_AGAIN_S)


class TimeSlice:
    """Lets other tasks run while a loop computes: await `checkpoint` in each iteration."""

    def __init__(self, length_s: float = TIME_SLICE_S) -> None:
        self._length_s = length_s
        self._end = time.perf_counter() + length_s

    async def checkpoint(self) -> None:
        """Yield to the event loop if the slice is over; then a new one begins."""
        if time.perf_counter() >= self._end:
            await asyncio.sleep(0)
            self._end = time.perf_counter() + self._length_s


def stop_at_signals() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets from now on."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait for `seconds`, or until `event` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
