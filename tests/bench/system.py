"""The system itself in the same run: the registrar, a consumer, a rebuild, and published-to-visible."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
import psutil

from infra.postgres.connection import Connection, connect
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from producers.publisher.kafka_publisher import AgencyPublisher
from tests.bench.figures import SAMPLE_EVERY_S, Latency, rate_between

END_S: Final = 30.0
LATENCY_TICK_S: Final = 0.005


@dataclass(slots=True)
class Measured:
    """Events per second, and the most memory that the process held (resident, MiB)."""

    rate: float
    memory_mib: float
    early_rate: float


@contextmanager
def process(settings: Settings, name: str) -> Iterator[psutil.Process]:
    """`yesser run NAME` for the length of a `with`."""
    environment = os.environ | {"YESSER_HOME": str(Path(settings.home).resolve()), "YESSER_LOG_LEVEL": "warning"}
    child = subprocess.Popen(subprocess_command("run", name), env=environment)
    try:
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        try:
            child.wait(END_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


async def run_until(settings: Settings, name: str, query: str, end: int, tenth: int) -> Measured:
    """Start a process and watch the number that `query` gives until it is `end`."""
    connection = await connect(settings, "bench")
    try:
        with process(settings, name) as child:
            samples: list[tuple[float, int]] = []
            memory = 0
            while not samples or samples[-1][1] < end:
                if not child.is_running() or child.status() == psutil.STATUS_ZOMBIE:
                    raise RuntimeError(f"{name} ended before its work was done")
                samples.append((time.perf_counter(), await connection.fetchval(query) or 0))
                memory = max(memory, child.memory_info().rss)
                await asyncio.sleep(SAMPLE_EVERY_S)
        base = samples[0][1]
        early = [s for s in samples if s[1] - base <= tenth] + [s for s in samples if s[1] - base > tenth][:1]
        return Measured(rate_between(samples), memory / 2**20, rate_between(early))
    finally:
        await connection.close()


REGISTERED: Final = "SELECT size FROM log.state"
PROJECTED: Final = "SELECT position FROM platform.position WHERE consumer = 'projections'"


def rebuild_seconds(settings: Settings) -> float:
    """(e) `yesser rebuild projections`: seconds, the process' start included."""
    environment = os.environ | {"YESSER_HOME": str(Path(settings.home).resolve())}
    started = time.perf_counter()
    command = subprocess_command("rebuild", "projections", "--compare", "--json")
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    seconds = time.perf_counter() - started
    if not orjson.loads(done.stdout)["ok"]:
        raise RuntimeError("the rebuild differs from the live tables")
    return seconds


async def latency(settings: Settings, agency: str, lines: Sequence[bytes], events_per_s: int) -> Latency:
    """(f) publish at a steady rate and watch the projections' position; milliseconds from send to visible.

    An event counts as visible when the position of the projections has passed it. The log grows by these events
    alone while it is measured, so that the n-th event stands at the n-th index from the start.
    """
    connection = await connect(settings, "bench")
    try:
        start = await connection.fetchval(PROJECTED)
        sent: list[float] = []
        seen: list[float] = []
        watcher = asyncio.create_task(_watch(connection, start, len(lines), seen))
        async with AgencyPublisher(settings, agency) as publisher:
            began = time.perf_counter()
            per_tick = max(1, round(events_per_s * LATENCY_TICK_S))
            for at in range(0, len(lines), per_tick):
                due = began + at / events_per_s
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                part = lines[at : at + per_tick]
                sent += [time.perf_counter()] * len(part)
                for line in part:
                    await publisher.add(line)
                await publisher.push()
            took = time.perf_counter() - began
            await publisher.flush()
            await asyncio.wait_for(watcher, END_S)
        waits = [1000 * (b - a) for a, b in zip(sent, seen, strict=True)]
        cuts = statistics.quantiles(waits, n=100)
        return Latency(len(lines) / took, statistics.median(waits), cuts[98], len(waits))
    finally:
        await connection.close()


async def _watch(connection: Connection, start: int, count: int, seen: list[float]) -> None:
    while len(seen) < count:
        position = await connection.fetchval(PROJECTED)
        seen += [time.perf_counter()] * (min(position - start, count) - len(seen))
        await asyncio.sleep(0.001)
