"""The gateway beside bare Starlette applications that forward what they are sent: same server, same load, in turns.

Batches of 100 are sent over kept-alive connections as fast as answers come, with mixed and uniform traffic and in the
shapes of `shapes.py`; single events at a steady rate. Rates depend on what else the machine does, processor time for an
event hardly does, so both are shown. Everything runs on a stack of its own, the load in this process.

The first peer stores a batch as one record, which no log of events can; the second one stores each event as a record,
and is what the gateway's own work is measured against. The first one and the gateway are measured twice: as one process
each, bound by one core, and as two that share the load, with which both have all that two cores can give.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import string
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

import psutil

from bench.figures import Figures
from bench.load_client import Connection, request_bytes
from bench.shapes import BATCH, Shape, make_shapes
from bench.system import own_s, process, stack
from infra.embedded.servers.ports import choose
from infra.postgres.connection import connected
from infra.settings import Settings
from producers.agencies.register import NewAgency, add_agencies, prepare
from producers.agencies.tokens import TokenRequest, create_token, hash_key

CONNECTIONS: Final = 16
TURNS: Final = 10
TURNS_OF_SHAPE: Final = 3
TRAFFIC: Final = ("mixed", "uniform")
SINGLE_PER_S: Final = 500
SINGLE_CONNECTIONS: Final = 16
ACCEPTED: Final = (200, 202)
BATCHED: Final = "application/cloudevents-batch+json"
SINGLE: Final = "application/cloudevents+json"
SERVE: Final = "bench.bare_gateway"


class Setup(NamedTuple):
    """What is measured: `peer` is what a bare application stores as one record, None the gateway."""

    title: str
    peer: str | None
    processes: int = 1


ONE_GATEWAY, BARE_BY_EVENT = Setup("the gateway", None), Setup("bare, by event", "events")
SETUPS: Final = (
    Setup("bare, by body", "body"), BARE_BY_EVENT, ONE_GATEWAY, Setup("two bare, by body", "body", 2),
    Setup("two gateways", None, 2),
)  # fmt: skip
OF_SHAPES: Final = (ONE_GATEWAY, BARE_BY_EVENT)


@dataclass(frozen=True, slots=True)
class Target:
    """The servers of one setup, which share its load."""

    title: str
    ports: Sequence[int]
    children: Sequence[psutil.Process]


async def measure(seconds: int, figures: Figures) -> None:
    """One whole run: peers and gateway in turns, so that all meet the same machine."""
    shapes = make_shapes()
    with stack() as settings, ExitStack() as servers:
        token = await _register(settings)
        targets = {}
        for setup in SETUPS:
            ports = choose([None] * setup.processes)
            children = [servers.enter_context(_serving(setup, settings, port)) for port in ports]
            targets[setup] = Target(setup.title, ports, children)
            for port in ports:
                await _until_answering(port)
        for key in TRAFFIC:
            for _ in range(TURNS):
                for target in targets.values():
                    await _turn(figures, target, token, shapes[key], key, seconds / TURNS)
        for key, shape in shapes.items():
            for _ in range(TURNS_OF_SHAPE if key not in TRAFFIC else 0):
                for setup in OF_SHAPES:
                    await _turn(figures, targets[setup], token, shape, shape.title, seconds / TURNS)
        for target in targets.values():
            await _steady(figures, target, token, shapes["mixed"], seconds)
            figures.add(target.title, "MiB", sum(child.memory_info().rss for child in target.children) / 2**20)


async def _turn(figures: Figures, target: Target, token: str, shape: Shape, name: str, seconds: float) -> None:
    """Of the two kinds of traffic a row is a setup; of a shape it is the shape, and a column names the setup."""
    row, of = (target.title, f"{name} ") if name in TRAFFIC else (name, f"{target.title}: ")
    before, started = _processor_s(target), time.perf_counter()
    events = await _batches(target, token, shape, started + seconds)
    figures.add(row, f"{of}events/s", events / (time.perf_counter() - started))
    figures.add(row, f"{of}µs/event", 1e6 * (_processor_s(target) - before) / events)


async def _steady(figures: Figures, target: Target, token: str, shape: Shape, seconds: float) -> None:
    before = _processor_s(target)
    waits = await _singles(target, token, shape, seconds)
    figures.add(target.title, "single p50 ms", statistics.median(waits))
    figures.add(target.title, "single p99 ms", statistics.quantiles(waits, n=100)[98])
    figures.add(target.title, "single µs/event", 1e6 * (_processor_s(target) - before) / len(waits))


def _processor_s(target: Target) -> float:
    return sum(map(own_s, target.children))


async def _batches(target: Target, token: str, shape: Shape, end: float) -> int:
    """How many events were answered by the end, a batch on each connection at least. Raises RuntimeError otherwise."""
    bodies, sent = shape.bodies(_tag()), 0

    async def one(number: int) -> None:
        nonlocal sent
        async with Connection(target.ports[number % len(target.ports)]) as connection:
            while True:
                _require(await connection.ask(request_bytes(token, BATCHED, next(bodies), shape.query)))
                sent += BATCH
                if time.perf_counter() >= end:
                    return

    await asyncio.gather(*(one(number) for number in range(CONNECTIONS)))
    return sent


async def _singles(target: Target, token: str, shape: Shape, seconds: float) -> list[float]:
    """Milliseconds from when each request was due to its answer: a late start counts against the server."""
    began = time.perf_counter() + 0.1
    total = int(SINGLE_PER_S * seconds)
    waits: list[float] = []
    events = shape.singles(_tag())

    async def one(offset: int) -> None:
        async with Connection(target.ports[offset % len(target.ports)]) as connection:
            for number in range(offset, total, SINGLE_CONNECTIONS):
                due = began + number / SINGLE_PER_S
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                _require(await connection.ask(request_bytes(token, SINGLE, next(events))))
                waits.append(1_000 * (time.perf_counter() - due))

    await asyncio.gather(*(one(offset) for offset in range(SINGLE_CONNECTIONS)))
    return waits


def _require(status: int) -> None:
    if status not in ACCEPTED:
        raise RuntimeError(f"the answer was {status}")


def _tag() -> str:
    """Letters that make the ids of one measurement its own."""
    return "".join(random.choices(string.ascii_lowercase, k=12))


@contextmanager
def _serving(setup: Setup, settings: Settings, port: int) -> Iterator[psutil.Process]:
    """The gateway as a user runs it, or a bare application on the same server."""
    if setup.peer is None:
        limits = dict.fromkeys(("YESSER_GATEWAY_REQUESTS_PER_S", "YESSER_GATEWAY_REQUESTS_BURST"), "100000")
        with process(settings, "gateway", {"YESSER_GATEWAY_PORT": str(port), **limits}) as child:
            yield child
        return
    environment = os.environ | {"YESSER_HOME": str(settings.home.resolve())}
    child_process = subprocess.Popen([sys.executable, "-m", SERVE, setup.peer, str(port)], env=environment)
    try:
        yield psutil.Process(child_process.pid)
    finally:
        child_process.terminate()
        child_process.wait(30)


async def _until_answering(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            async with Connection(port):
                await asyncio.sleep(2)
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


async def _register(settings: Settings) -> str:
    """An agency and its token."""
    await prepare(settings)
    async with connected(settings, "bench") as connection:
        with process(settings, "registrar"), process(settings, "relay"):
            health = NewAgency("health", "agency", "الصحة", "Health")
            await add_agencies(connection, settings, [health], lambda: datetime.now(UTC))
        made = await create_token(connection, hash_key(settings), TokenRequest("agency", "health", 1))
    return made.token
