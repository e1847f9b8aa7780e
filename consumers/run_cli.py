"""`yesser run NAME`: one process of the platform."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import click
import uvloop

from infra.health import Readiness, serving
from infra.settings import Settings
from infra.telemetry import setup

Run = Callable[[asyncio.Event], Awaitable[None]]
Process = tuple[Run, Callable[[], Readiness]]


def _registrar(settings: Settings) -> Process:
    from consumers.registrar.registrar import Registrar

    registrar = Registrar(settings, lambda: datetime.now(UTC))
    return registrar.run, registrar.readiness


def _relay(settings: Settings) -> Process:
    from consumers.relay import Relay

    relay = Relay(settings)
    return relay.run, relay.readiness


def _consumer(name: str, settings: Settings) -> Process:
    from consumers.pipeline import Pipeline
    from consumers.registry import CONSUMERS

    pipeline = Pipeline(CONSUMERS[name], settings)
    return pipeline.run, pipeline.readiness


PROCESSES: dict[str, Callable[[Settings], Process]] = {
    "registrar": _registrar,
    "relay": _relay,
    **{name: partial(_consumer, name) for name in ("projections", "campaigns", "revenue", "event-index")},
}


@click.command()
@click.argument("name", type=click.Choice(sorted(PROCESSES)))
def run(name: str) -> None:
    """Run one process of the platform in the foreground until SIGTERM."""
    settings = Settings()
    setup(settings, name)
    # Batches are thousands of small objects that die together: the default thresholds would collect for nothing.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    uvloop.run(_serve(settings, *PROCESSES[name](settings)))


async def _serve(settings: Settings, work: Run, readiness: Callable[[], Readiness]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(settings, readiness):
        await work(stop)
