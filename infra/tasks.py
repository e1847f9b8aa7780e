"""Work of one owner in several tasks, which end together without losing an error; and waits that a stop cuts short."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any, Final

CANCEL_AGAIN_S: Final = 10.0
"""Longer than anybody cleans up."""


async def until_one_ends(*jobs: Coroutine[Any, Any, object]) -> None:
    """Run the jobs until one returns or fails; cancel the others, wait for them, and raise the first one's error.

    Of several that fail at the same moment the earliest in the argument list is raised.
    """
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(tasks)
    for task in tasks:
        if task in done:
            task.result()


async def _end(tasks: Iterable[asyncio.Task[object]]) -> None:
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
