"""`yesser run NAME`: one process of the platform.

Each package registers its processes in `pyproject.toml` (group `yesser.processes`, `name = "module:factory"`); only
the one that runs is imported.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points, version
from typing import Final, Protocol, TypeAlias

import click
import structlog
import uvloop

from infra.observability.telemetry import setup
from infra.process.health import Readiness, serving
from infra.process.tasks import TaskFailed, stop_at_signals, until_one_ends, watch_tasks
from infra.settings import Settings

GROUP: Final = "yesser.processes"

Run: TypeAlias = Callable[[asyncio.Event], Awaitable[None]]


class Process(Protocol):
    """What a process does until soon after its event is set, and whether it is ready."""

    def run(self, stop: asyncio.Event) -> Awaitable[None]: ...

    def readiness(self) -> Readiness: ...


@cache
def process_entries() -> dict[str, EntryPoint]:
    """Process name → the entry point of its factory, `(Settings) -> Process`."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


@click.command()
@click.argument("name", type=click.Choice(sorted(process_entries())))
def run(name: str) -> None:
    """Run one process of the platform in the foreground until SIGTERM."""
    gc.disable()  # imports make no garbage
    os.environ["PYTHONSAFEPATH"] = "1"  # a Python that this process starts imports nothing from the current folder
    settings = Settings()
    setup(settings, name)
    structlog.get_logger().info("the process starts", version=version("yesser-events"))
    factory: Callable[[Settings], Process] = process_entries()[name].load()
    process = factory(settings)
    gc.freeze()
    gc.enable()  # with the thresholds of every command (`infra.cli`)
    uvloop.run(serve(settings, process.run, process.readiness))


async def serve(settings: Settings, work: Run, readiness: Callable[[], Readiness]) -> None:
    """Run the work until SIGTERM or SIGINT, and serve the health port.

    A task that fails unnoticed ends the process, which is then restarted: with half of its tasks it would look healthy.
    """
    failed = watch_tasks()
    stop = stop_at_signals()
    try:
        async with serving(settings, readiness):
            await until_one_ends(_work(work, stop), failed)
    except TaskFailed as error:
        structlog.get_logger().error("the process ends", reason=str(error), exc_info=error.__cause__)
        raise SystemExit(os.EX_SOFTWARE) from None
    except _Ended as end:
        raise SystemExit(end.code) from None


class _Ended(Exception):
    """The work raised `SystemExit`, which in a task would stop the loop before cleaning up."""

    def __init__(self, code: object) -> None:
        super().__init__(code)
        self.code = code


async def _work(work: Run, stop: asyncio.Event) -> None:
    try:
        await work(stop)
    except SystemExit as end:
        raise _Ended(end.code) from None
