"""Processes that run in this one, and waits for what they do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

PATIENCE_S = 30.0


class Process(Protocol):
    """What runs until it is stopped."""

    async def run(self, stop: asyncio.Event) -> None: ...


@asynccontextmanager
async def running(*processes: Process) -> AsyncIterator[list[asyncio.Event]]:
    """The processes at work; the events stop one each."""
    stops = [asyncio.Event() for _ in processes]
    tasks = [asyncio.create_task(_run(process, stop)) for process, stop in zip(processes, stops, strict=True)]
    try:
        yield stops
    finally:
        for stop in stops:
            stop.set()
        await asyncio.gather(*tasks)


async def _run(process: Process, stop: asyncio.Event) -> None:
    """An exit of the process fails the test, and not the event loop."""
    try:
        await process.run(stop)
    except SystemExit as ended:
        raise AssertionError(f"the process ended with exit code {ended.code}") from ended


async def until(
    holds: Callable[[], object], what: str, patience_s: float = PATIENCE_S, *, every_s: float = 0.02
) -> None:
    """Wait until `holds` gives, or awaits, something true, asking it again every so often; fails with `what`."""
    deadline = asyncio.get_running_loop().time() + patience_s
    while True:
        answer = holds()
        if isinstance(answer, Awaitable):
            answer = await answer
        if answer:
            return
        assert asyncio.get_running_loop().time() < deadline, f"after {patience_s} s still not: {what}"
        await asyncio.sleep(every_s)


async def intervals(length_ms: int, count: int = 3) -> None:
    """Wait for some intervals of a process: what it must not do, it would do in them."""
    await asyncio.sleep(count * length_ms / 1000)
