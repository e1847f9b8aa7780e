"""The gateway beside bare Starlette applications that forward what they are sent: same server, same load, one run.

    python -m bench.gateway [--seconds N] [--events N] [--json FILE]

Batches of 100 are sent over kept-alive connections as fast as answers come, with mixed and uniform traffic and in the
shapes of `shapes.py`; single events at a steady rate. Then the gateway alone takes N events while its memory is
watched. Rates depend on what else the machine does, processor time for an event hardly does, so both are shown.
Everything runs on a stack of its own, the load in this process. A run takes about four minutes.

The first peer stores a batch as one record, which no log of events can; the second one stores each event as a record,
and is what the gateway's own work is measured against. The first one and the gateway are measured twice: as one process
each, bound by one core, and as two that share the load, with which both have all that two cores can give.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import string
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from bench.load_client import Connection, request_bytes
from bench.shapes import BATCH, Shape, make_shapes
from bench.system import process
from infra.embedded.servers.ports import choose
from infra.embedded.stack import running_stack
from infra.postgres.connection import connect
from infra.principals import SUPERUSER
from infra.settings import Settings
from producers.agencies.genesis import prepare
from producers.agencies.register import NewAgency, add_agencies
from producers.agencies.tokens import TokenRequest, create_token, hash_key

CONNECTIONS: Final = 16
TURNS: Final = 10
TURNS_OF_SHAPE: Final = 3
TRAFFIC: Final = ("mixed", "uniform")
SINGLE_PER_S: Final = 500
SINGLE_CONNECTIONS: Final = 16
BATCHED: Final = "application/cloudevents-batch+json"
SINGLE: Final = "application/cloudevents+json"
SERVE: Final = "bench.bare_gateway"
GATEWAY: Final = "gateway"


class Setup(NamedTuple):
    """What is measured: `peer` is what a bare application stores as one record, None the gateway."""

    title: str
    peer: str | None
    processes: int = 1


SETUPS: Final = {
    "bare": Setup("bare, by body", "body"),
    "bare_records": Setup("bare, by event", "events"),
    GATEWAY: Setup("the gateway", None),
    "bare_twice": Setup("two bare, by body", "body", 2),
    "gateway_twice": Setup("two gateways", None, 2),
}
BESIDE: Final = (GATEWAY, "bare_records")
RATIOS: Final = ((GATEWAY, "bare"), (GATEWAY, "bare_records"), ("gateway_twice", "bare_twice"))


@dataclass(slots=True)
class Result:
    """Batches of one shape: events a second and processor time in each turn, and how often which status came."""

    rates: list[float] = field(default_factory=list)
    processor_us: list[float] = field(default_factory=list)
    events: int = 0
    statuses: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class Singles:
    """Single events at a steady rate: milliseconds, and microseconds of processor time for each."""

    p50_ms: float = 0.0
    p99_ms: float = 0.0
    processor_us: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Target:
    """The servers of one setup, which share its load."""

    ports: Sequence[int]
    children: Sequence[psutil.Process]
    results: dict[str, Result] = field(default_factory=dict)
    singles: Singles = field(default_factory=Singles)
    memory_mib: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measurement (default 10)")
    parser.add_argument("--events", type=int, default=0, help="watch the memory over so many events (0: do not)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="yesser-bench-") as folder,
        running_stack(Path(folder) / "home", only=("kafka", "postgres")) as settings,
    ):
        figures = uvloop.run(run(settings.acting_as(SUPERUSER), arguments.seconds, arguments.events))
    show(figures, Console())
    if arguments.json:
        arguments.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


async def run(settings: Settings, seconds: float, events: int) -> dict[str, Any]:
    """One whole run: peers and gateway in turns, so that all meet the same machine."""
    token = await _register(settings)
    shapes = make_shapes()
    with ExitStack() as stack:
        targets = {}
        for name, setup in SETUPS.items():
            ports = choose([None] * setup.processes)
            children = [stack.enter_context(_serving(setup, settings, port)) for port in ports]
            targets[name] = Target(ports, children)
            for port in ports:
                await _until_answering(port)
        for key in TRAFFIC:
            for _ in range(TURNS):
                for target in targets.values():
                    await _turn(target, token, key, shapes[key], seconds / TURNS)
        for key in shapes:
            for _ in range(TURNS_OF_SHAPE if key not in TRAFFIC else 0):
                for name in BESIDE:
                    await _turn(targets[name], token, key, shapes[key], seconds / TURNS)
        for target in targets.values():
            await _steady(target, token, shapes["mixed"], seconds)
        grown = await _grow(targets[GATEWAY], token, shapes["mixed"], events) if events else []
    document: dict[str, Any] = {name: _document(target) for name, target in targets.items()}
    document["shapes"] = {key: shape.title for key, shape in shapes.items()}
    document["ratios"] = {
        key: {f"{a}/{b}": _ratio(targets[a].results[key], targets[b].results[key]) for a, b in RATIOS}
        for key in TRAFFIC
    }
    if grown:
        document["memory"] = {"events": events, "mib": [round(size, 1) for size in grown]}
    return document


def _ratio(one: Result, other: Result) -> float:
    """The median of the rates' ratios turn by turn: what else the machine does changes more slowly than turns do."""
    return round(statistics.median(a / b for a, b in zip(one.rates, other.rates, strict=True)), 3)


async def _turn(target: Target, token: str, key: str, shape: Shape, seconds: float) -> None:
    result = target.results.setdefault(key, Result())
    before, events = _processor_s(target.children), result.events
    end = time.perf_counter() + seconds
    result.rates.append(await _batches(target, token, result, shape, lambda: time.perf_counter() < end))
    spent_us = 1e6 * (_processor_s(target.children) - before)
    result.processor_us.append(spent_us / (result.events - events))
    target.memory_mib.append(_memory_mib(target.children))


async def _steady(target: Target, token: str, shape: Shape, seconds: float) -> None:
    before, singles = _processor_s(target.children), target.singles
    waits = await _singles(target, token, shape, seconds)
    singles.processor_us = 1e6 * (_processor_s(target.children) - before) / len(waits)
    singles.p50_ms, singles.p99_ms = statistics.median(waits), statistics.quantiles(waits, n=100)[98]


async def _grow(target: Target, token: str, shape: Shape, events: int) -> list[float]:
    """The memory after each tenth of so many further events."""
    sizes, result = [_memory_mib(target.children)], Result()
    for number in range(1, 11):
        await _batches(target, token, result, shape, lambda end=number * events // 10: result.events < end)  # type: ignore[misc]
        sizes.append(_memory_mib(target.children))
    return sizes


def _memory_mib(children: Sequence[psutil.Process]) -> float:
    return sum(float(child.memory_info().rss) for child in children) / 2**20


def _processor_s(children: Sequence[psutil.Process]) -> float:
    """Seconds of processor time that the processes have used."""
    return sum(float(times.user + times.system) for times in (child.cpu_times() for child in children))


def _document(target: Target) -> dict[str, Any]:
    return {
        "batches": {
            key: {
                "events_per_s": round(statistics.median(result.rates)),
                "processor_us_per_event": round(statistics.median(result.processor_us), 1),
                "statuses": {str(status): count for status, count in result.statuses.items()},
            }
            for key, result in target.results.items()
        },
        "singles": {
            "p50_ms": round(target.singles.p50_ms, 2),
            "p99_ms": round(target.singles.p99_ms, 2),
            "processor_us_per_event": round(target.singles.processor_us),
            "statuses": {str(status): count for status, count in target.singles.statuses.items()},
        },
        "memory_mib": [round(size) for size in target.memory_mib],
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """The tables within 80 columns, and the ratios with their goals."""
    console.print(_main_table(figures))
    for key, ratios in figures["ratios"].items():
        for one, other in RATIOS:
            console.print(f"{key}: {SETUPS[one].title} to {SETUPS[other].title} {ratios[f'{one}/{other}']}")
    console.print("Goals of one gateway: 30,000/s mixed, 60,000/s uniform; p99 20 ms.\n")
    console.print(_shapes_table(figures))
    if "memory" in figures:
        console.print(f"memory over {figures['memory']['events']:,} events: {figures['memory']['mib']} MiB")


def _main_table(figures: dict[str, Any]) -> Table:
    table = _table(
        f"Batches of {BATCH}, and {SINGLE_PER_S} single mixed events a second",
        ("", "mixed/s", "µs/event", "uniform/s", "µs/event", "p50 ms", "p99 ms", "MiB"),
    )
    for name, setup in SETUPS.items():
        row = figures[name]
        batches, singles = row["batches"], row["singles"]
        rates = [
            text
            for key in TRAFFIC
            for text in (f"{batches[key]['events_per_s']:,}", f"{batches[key]['processor_us_per_event']}")
        ]
        table.add_row(setup.title, *rates, f"{singles['p50_ms']}", f"{singles['p99_ms']}", f"{max(row['memory_mib'])}")
    return table


def _shapes_table(figures: dict[str, Any]) -> Table:
    table = _table(
        f"What a batch of {BATCH} holds (goal 15,000/s; bare is by event)",
        ("", "gateway/s", "µs/event", "bare/s", "µs/event", "answers"),
    )
    for key, gateway in figures[GATEWAY]["batches"].items():
        bare = figures[BESIDE[1]]["batches"][key]
        rates = [
            text for row in (gateway, bare) for text in (f"{row['events_per_s']:,}", f"{row['processor_us_per_event']}")
        ]
        table.add_row(figures["shapes"][key], *rates, ",".join(sorted(gateway["statuses"])))
    return table


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    return table


async def _batches(target: Target, token: str, result: Result, shape: Shape, goes_on: Callable[[], bool]) -> float:
    """Events a second for as long as it goes on."""
    bodies, sent = shape.bodies(_tag()), 0

    async def one(number: int) -> None:
        nonlocal sent
        async with Connection(target.ports[number % len(target.ports)]) as connection:
            while goes_on():
                request = request_bytes(token, BATCHED, next(bodies), shape.query)
                result.statuses[await connection.ask(request)] += 1
                sent += BATCH
                result.events += BATCH

    started = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(CONNECTIONS)))
    return sent / (time.perf_counter() - started)


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
                request = request_bytes(token, SINGLE, next(events))
                target.singles.statuses[await connection.ask(request)] += 1
                waits.append(1_000 * (time.perf_counter() - due))

    await asyncio.gather(*(one(offset) for offset in range(SINGLE_CONNECTIONS)))
    return waits


def _tag() -> str:
    """Letters that make the ids of one measurement its own."""
    return "".join(random.choices(string.ascii_lowercase, k=12))


@contextmanager
def _serving(setup: Setup, settings: Settings, port: int) -> Iterator[psutil.Process]:
    """The gateway as a user runs it, or a bare application on the same server."""
    if setup.peer is None:
        os.environ["YESSER_GATEWAY_PORT"] = str(port)
        os.environ["YESSER_GATEWAY_REQUESTS_PER_S"] = "100000"
        os.environ["YESSER_GATEWAY_REQUESTS_BURST"] = "100000"
        with process(settings, GATEWAY) as child:
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
    connection = await connect(settings, "bench")
    try:
        with process(settings, "registrar"), process(settings, "relay"):
            health = NewAgency("health", "agency", "الصحة", "Health")
            await add_agencies(connection, settings, [health], lambda: datetime.now(UTC))
        made = await create_token(connection, hash_key(settings), TokenRequest("agency", "health", 1))
        return made.token
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
