"""Work of one owner in several tasks, which end together without losing an error; and waits that a stop cuts short."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any


async def until_one_ends(*jobs: Coroutine[Any, Any, object]) -> None:
    """Run the jobs until one returns or fails; cancel the others, wait for them, and raise the first one's error.

    Of several that fail at the same moment the earliest in the argument list is raised.
    """
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if task in done:
            task.result()


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait for `seconds`, or until `event` (a stop, a wake-up) is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
