"""The gateway beside bare Starlette applications that forward what they are sent: same server, same load, one run.

    python -m tests.bench.gateway [--seconds N] [--events N] [--json FILE]

Batches of 100 are sent over kept-alive connections as fast as answers come; single events at a steady rate. Then the
gateway alone takes N events while its memory is watched. Rates depend on what else the machine does, processor time
for an event hardly does, so both are shown. Everything runs on a stack of its own, the load in this process.

The first peer stores a batch as one record, which no log of events can; the second one stores each event as a record,
and is what the gateway's own work is measured against. The first one and the gateway are measured twice: as one process
each, bound by one core, and as two that share the load, with which both have all that two cores can give.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
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

from infra.embedded.servers.ports import choose
from infra.embedded.stack import running_stack
from infra.postgres.connection import connect
from infra.settings import Settings
from producers.agencies.genesis import prepare
from producers.agencies.register import NewAgency, add_agencies
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from tests.bench.load_client import Connection, request_bytes
from tests.bench.system import process

BATCH: Final = 100
CONNECTIONS: Final = 16
ROUNDS: Final = 15
SINGLE_PER_S: Final = 500
SINGLE_CONNECTIONS: Final = 16
BATCHED: Final = "application/cloudevents-batch+json"
SINGLE: Final = "application/cloudevents+json"
SERVE: Final = "tests.bench.bare_gateway"
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
RATIOS: Final = ((GATEWAY, "bare"), (GATEWAY, "bare_records"), ("gateway_twice", "bare_twice"))


@dataclass(slots=True)
class Result:
    """Events a second with batches; milliseconds of single events; processor time; the memory as it went on."""

    rates: list[float] = field(default_factory=list)
    events: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    memory_mib: list[float] = field(default_factory=list)
    batch_us_per_event: list[float] = field(default_factory=list)
    single_us: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Target:
    """The servers of one setup, which share its load."""

    ports: Sequence[int]
    children: Sequence[psutil.Process]
    result: Result = field(default_factory=Result)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15.0, help="length of each measurement")
    parser.add_argument("--events", type=int, default=0, help="watch the memory over so many events (0: do not)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="yesser-bench-") as folder,
        running_stack(Path(folder) / "home", only=("kafka", "postgres")) as settings,
    ):
        figures = uvloop.run(run(settings, arguments.seconds, arguments.events))
    show(figures, Console())
    if arguments.json:
        arguments.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


async def run(settings: Settings, seconds: float, events: int) -> dict[str, Any]:
    """One whole run: peers and gateway in turns, so that all meet the same machine."""
    token = await _register(settings)
    with ExitStack() as stack:
        targets = {}
        for name, setup in SETUPS.items():
            ports = choose([None] * setup.processes)
            children = [stack.enter_context(_serving(setup, settings, port)) for port in ports]
            targets[name] = Target(ports, children)
            for port in ports:
                await _until_answering(port)
        for _ in range(ROUNDS):
            for target in targets.values():
                await _round(target, token, seconds / ROUNDS)
        for target in targets.values():
            await _steady(target, token, seconds)
        growth = await _growth(targets[GATEWAY], token, events) if events else []
    document: dict[str, Any] = {name: _document(target.result) for name, target in targets.items()}
    document["ratios"] = {f"{a}/{b}": _ratio(targets[a].result, targets[b].result) for a, b in RATIOS}
    if growth:
        document["memory"] = {"events": events, "mib": [round(size, 1) for size in growth]}
    return document


def _ratio(one: Result, other: Result) -> float:
    """The median of the rates' ratios round by round: what else the machine does changes more slowly than rounds do."""
    return round(statistics.median(a / b for a, b in zip(one.rates, other.rates, strict=True)), 3)


async def _round(target: Target, token: str, seconds: float) -> None:
    before, events = _processor_s(target.children), target.result.events
    end = time.perf_counter() + seconds
    target.result.rates.append(await _batches(target, token, lambda: time.perf_counter() < end))
    spent_us = 1e6 * (_processor_s(target.children) - before)
    target.result.batch_us_per_event.append(spent_us / (target.result.events - events))
    target.result.memory_mib.append(_memory_mib(target.children))


async def _steady(target: Target, token: str, seconds: float) -> None:
    before = _processor_s(target.children)
    waits = await _singles(target, token, seconds)
    target.result.single_us = 1e6 * (_processor_s(target.children) - before) / len(waits)
    target.result.p50_ms, target.result.p99_ms = statistics.median(waits), statistics.quantiles(waits, n=100)[98]


async def _growth(target: Target, token: str, events: int) -> list[float]:
    """The memory after each tenth of so many further events."""
    sizes = [_memory_mib(target.children)]
    for _ in range(10):
        end = target.result.events + events // 10
        await _batches(target, token, lambda end=end: target.result.events < end)  # type: ignore[misc]
        sizes.append(_memory_mib(target.children))
    return sizes


def _memory_mib(children: Sequence[psutil.Process]) -> float:
    return sum(float(child.memory_info().rss) for child in children) / 2**20


def _processor_s(children: Sequence[psutil.Process]) -> float:
    """Seconds of processor time that the processes have used."""
    return sum(float(times.user + times.system) for times in (child.cpu_times() for child in children))


def _document(result: Result) -> dict[str, Any]:
    return {
        "events_per_s": round(statistics.median(result.rates)),
        "p50_ms": round(result.p50_ms, 2),
        "p99_ms": round(result.p99_ms, 2),
        "processor_us_per_event_in_batches": round(statistics.median(result.batch_us_per_event), 1),
        "processor_us_per_single_event": round(result.single_us),
        "memory_mib": [round(size) for size in result.memory_mib],
        "statuses": {str(status): count for status, count in result.statuses.items()},
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """The table, and the ratios with their goals."""
    table = Table(title=f"Events over HTTP: batches of {BATCH}, and {SINGLE_PER_S} single events a second")
    for column in ("", "events/s", "µs/event", "p50 ms", "p99 ms", "µs/single", "MiB"):
        table.add_column(column, justify="left" if not column else "right", no_wrap=True)
    for name, setup in SETUPS.items():
        row = figures[name]
        table.add_row(
            setup.title,
            f"{row['events_per_s']:,}",
            f"{row['processor_us_per_event_in_batches']}",
            f"{row['p50_ms']}",
            f"{row['p99_ms']}",
            f"{row['processor_us_per_single_event']}",
            f"{row['memory_mib'][-1]}",
        )
    console.print(table)
    for one, other in RATIOS:
        goal = " (goal 0.5)" if SETUPS[other].peer == "body" else ""
        console.print(f"{SETUPS[one].title} to {SETUPS[other].title}: {figures['ratios'][f'{one}/{other}']}{goal}")
    console.print("goals: 20,000 events/s in batches, p99 of single events 20 ms")
    if "memory" in figures:
        console.print(f"memory over {figures['memory']['events']:,} events: {figures['memory']['mib']} MiB")


async def _batches(target: Target, token: str, goes_on: Callable[[], bool]) -> float:
    """Events a second for as long as it goes on."""
    result, tag, sent = target.result, _tag(), 0

    async def one(number: int) -> None:
        nonlocal sent
        async with Connection(target.ports[number % len(target.ports)]) as connection:
            for round_number in itertools.count():
                if not goes_on():
                    return
                first = f"{tag}-{number}-{round_number}"
                body = b"[" + b",".join([_event(f"{first}-{n}") for n in range(BATCH)]) + b"]"
                result.statuses[await connection.ask(request_bytes(token, BATCHED, body))] += 1
                sent += BATCH
                result.events += BATCH

    started = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(CONNECTIONS)))
    return sent / (time.perf_counter() - started)


async def _singles(target: Target, token: str, seconds: float) -> list[float]:
    """Milliseconds from when each request was due to its answer: a late start counts against the server."""
    began = time.perf_counter() + 0.1
    total = int(SINGLE_PER_S * seconds)
    waits: list[float] = []
    tag = _tag()

    async def one(offset: int) -> None:
        async with Connection(target.ports[offset % len(target.ports)]) as connection:
            for number in range(offset, total, SINGLE_CONNECTIONS):
                due = began + number / SINGLE_PER_S
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                body = _event(f"{tag}-{number}")
                target.result.statuses[await connection.ask(request_bytes(token, SINGLE, body))] += 1
                waits.append(1_000 * (time.perf_counter() - due))

    await asyncio.gather(*(one(offset) for offset in range(SINGLE_CONNECTIONS)))
    return waits


def _tag() -> str:
    """Letters that make the ids of one measurement its own."""
    return "".join(random.choices(string.ascii_lowercase, k=12))


def _event(id_: str) -> bytes:
    return (
        b'{"specversion":"1.0","id":"%b","source":"urn:yesser:agency:health",'
        b'"type":"sa.gov.yesser.training.certified.v1","subject":"trainee/trn_abcdefghijklmnop",'
        b'"time":"2006-05-01T09:00:00+03:00","datacontenttype":"application/json","data":{"certificate_id":"C-1",'
        b'"trainee":"trn_abcdefghijklmnop","track":"usage","on":"2006-05-01","employer":"health"}}' % id_.encode()
    )


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
