"""Work of one owner in several tasks, which end together without losing an error; and waits that a stop cuts short.

`watch_tasks` is for what these miss: it sees the error of every task of a process that nobody else looks at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeAlias

Work: TypeAlias = Coroutine[Any, Any, object] | Generator[Any, None, object]
Job: TypeAlias = Coroutine[Any, Any, object] | asyncio.Future[None]

CANCEL_AGAIN_S: Final = 10.0
"""Longer than anybody cleans up."""
UNSEEN_AFTER_S: Final = 10.0
"""Whoever waits for a task has looked at its error by then."""


class TaskFailed(Exception):
    """A task failed and nothing looked at its error, which is the cause. A bug: its work is no longer done."""


class Interrupted(ConnectionError):
    """A client library cancelled its own work, as it does when the connection is lost: try again."""


async def until_one_ends(*jobs: Job) -> None:
    """Run the jobs until one returns or fails; cancel the others, wait for them, and raise the first one's error.

    Of several that fail at the same moment the earliest in the argument list is raised. A job that ends in a
    cancellation which nobody asked for raises `Interrupted`: as a cancellation it would end the caller unseen.
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
    """What a task failed with. Asked for at once: to end the other tasks may take a while."""
    return Interrupted(Interrupted.__doc__) if task.cancelled() else task.exception()


@contextmanager
def stray_cancellation_as_error() -> Iterator[None]:
    """Raise `Interrupted` for a cancellation that a library lets out of the block and nobody asked this task for."""
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise Interrupted(Interrupted.__doc__) from error


def watch_tasks(unseen_after_s: float = UNSEEN_AFTER_S) -> asyncio.Future[None]:
    """Watch every task that the running loop creates from now on.

    The future fails with `TaskFailed` once a task has failed and nothing has looked at its error for
    `unseen_after_s`. asyncio itself reports such an error when the task is garbage-collected: never, while
    anything refers to the task.
    """
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[None] = loop.create_future()

    def create(loop: asyncio.AbstractEventLoop, work: Work, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
        task.add_done_callback(note)
        return task

    def note(task: asyncio.Task[Any]) -> None:
        if task._log_traceback:  # it failed; `task.exception()` would count as having looked
            loop.call_later(unseen_after_s, report, task)

    def report(task: asyncio.Task[Any]) -> None:
        if task._log_traceback and not failed.done():
            error = TaskFailed(f"The task {task.get_name()!r} failed and nothing looked at its error.")
            error.__cause__ = task.exception()
            failed.set_exception(error)

    loop.set_task_factory(create)
    return failed


async def _end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel, and again what goes on: before Python 3.12 `asyncio.wait_for`, which libraries call, may lose one."""
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        ended, running = await asyncio.wait(running, timeout=CANCEL_AGAIN_S)
        await asyncio.gather(*ended, return_exceptions=True)  # so that nobody complains of errors that came too late


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait for `seconds`, or until `event` (a stop, a wake-up) is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
