"""How soon an event is visible everywhere at 10, 100 and 1,000 a second, and the processor time that it takes.

Everything runs, over a log that is not empty. An event counts from when it was due: a sender or a system that falls
behind does not make the times shorter. What the bench itself asks of PostgreSQL is taken off.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from typing import Final

import psutil

from bench.figures import Figures
from bench.history import AGENCIES
from bench.system import (
    BESIDE,
    SETTLE_S,
    SIZE,
    Load,
    Meter,
    command_output,
    own_s,
    positions,
    process,
    running,
    services,
    stack,
    until_idle,
)
from bench.topics import OWN, publish, register_agencies
from bench.traffic import OFFICE
from infra.kafka.client_config import agency_topic
from infra.kafka.end_offsets import end_offsets_reader
from infra.postgres.connection import Connection, connected
from infra.settings import Settings
from producers.publisher.kafka_publisher import AgencyPublisher

RATES: Final = (10, 100, 1_000)
BEFORE_EACH_S: Final = 5_000
"""Events in the log before, for each second of a rate."""
TICK_S: Final = 0.005
"""A sender collects events for so long, as Kafka's own producers do by default."""
WATCH_EVERY_S: Final = 0.002
END_EVERY: Final = 20
RUNS_OF_TOPIC: Final = (
    "SELECT first_offset, first_index, entries_count FROM log.run WHERE topic = $1 AND first_offset >= $2"
)


async def measure(seconds: int, figures: Figures) -> None:
    """Each rate for so many seconds."""
    codes = (OFFICE, *AGENCIES)
    with stack() as settings:
        async with connected(settings, "bench") as connection:
            await register_agencies(settings, connection, AGENCIES)
            result, later = await publish(settings, OWN, BEFORE_EACH_S * seconds, codes, later=sum(RATES) * seconds)
            lines = iter(later)
            with process(settings, "registrar") as registrar, running(settings, BESIDE) as children:
                await until_idle(connection, result.entries)
                command_output(settings, "wait")
                for rate in RATES:
                    part = [next(lines) for _ in range(rate * seconds)]
                    await at_rate(settings, {"registrar": registrar, **children}, part, rate, figures)


async def at_rate(
    settings: Settings, children: dict[str, psutil.Process], lines: Sequence[bytes], rate: int, figures: Figures
) -> None:
    """Publish at a steady rate until all is visible, with the figures of this rate."""
    topic, row = agency_topic(AGENCIES[0]), f"{rate:,} a second"
    async with end_offsets_reader(settings) as end_offsets:
        first_offset = (await end_offsets([topic]))[topic]
    async with connected(settings, "bench") as connection, AgencyPublisher(settings, AGENCIES[0]) as publisher:
        watcher = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
        meter, own_before = Meter({**children, **services(settings)}), own_s(watcher)
        began = time.perf_counter()
        seen = asyncio.create_task(watch(connection, topic, first_offset + len(lines)))
        reached = await publish_steadily(publisher, lines, rate, began)
        async with asyncio.timeout(SETTLE_S):
            readings = await seen
        loads = meter.loads()
        loads["postgres"].processor_s -= own_s(watcher) - own_before
        runs = await connection.fetch(RUNS_OF_TOPIC, topic, first_offset)
    events = [
        (began + (run["first_offset"] - first_offset + n) / rate, run["first_index"] + n)
        for run in runs
        for n in range(run["entries_count"])
    ]
    waits = waits_ms(sorted(events), readings)
    figures.add(row, "events/s reached", reached)
    figures.add(row, "p50 ms", statistics.median(waits))
    figures.add(row, "p99 ms", statistics.quantiles(waits, n=100)[98])
    add_loads(figures, row, loads, len(lines))


def add_loads(figures: Figures, row: str, loads: dict[str, Load], events: int) -> None:
    """Milliseconds of processor time for an event: of all processes, then of each."""
    figures.add(row, "ms of processor time", 1e3 * sum(load.processor_s for load in loads.values()) / events)
    for name, load in loads.items():
        figures.add(row, f"{name} ms", 1e3 * load.processor_s / events)


async def publish_steadily(publisher: AgencyPublisher, lines: Sequence[bytes], rate: int, began: float) -> float:
    """Send each event when it is due, `1 / rate` seconds after the one before; the rate that was reached."""
    sent = 0
    while sent < len(lines):
        due = min(len(lines), due_by(time.perf_counter() - began, rate))
        for line in lines[sent:due]:
            await publisher.add(line)
        await publisher.push()
        sent = due
        await asyncio.sleep(max(TICK_S, began + sent / rate - time.perf_counter()))
    await publisher.flush()
    return len(lines) / max(time.perf_counter() - began, len(lines) / rate)


def due_by(seconds: float, rate: int) -> int:
    """How many events are due: the first one at once."""
    return int(seconds * rate) + 1


def waits_ms(events: Sequence[tuple[float, int]], readings: Sequence[tuple[float, int]]) -> list[float]:
    """From when each event was due to the first reading that is above its index. Both are in order."""
    waits, reading = [], 0
    for due_at, index in events:
        while readings[reading][1] <= index:
            reading += 1
        waits.append(1e3 * (readings[reading][0] - due_at))
    return waits


async def watch(connection: Connection, topic: str, last_offset: int) -> list[tuple[float, int]]:
    """The lowest position again and again, until the topic is read up to `last_offset` and all are at the log's end."""
    seen: list[tuple[float, int]] = []
    read = "SELECT next_offset FROM log.read_position WHERE topic = $1"
    while True:
        looks_for_end = len(seen) % END_EVERY == 0
        is_read = looks_for_end and await connection.fetchval(read, topic) == last_offset
        size = await connection.fetchval(SIZE) if is_read else None
        seen.append((time.perf_counter(), min((await positions(connection)).values())))
        if size is not None and seen[-1][1] >= size:
            return seen
        await asyncio.sleep(WATCH_EVERY_S)
