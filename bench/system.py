"""The system itself in the same run: each process alone, a rebuild, everything together, and published to visible."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import psutil

from bench.figures import Latency, growth, rate
from consumers.models.registry import CONSUMERS
from consumers.relay.wait import read_status
from infra.kafka.client_config import agency_topic
from infra.kafka.end_offsets import end_offsets_reader
from infra.postgres.connection import Connection, connect
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from producers.publisher.kafka_publisher import AgencyPublisher

END_S: Final = 60.0
LATENCY_TICK_S: Final = 0.005
SAMPLE_EVERY_S: Final = 0.02
WATCH_EVERY_S: Final = 0.002
END_EVERY: Final = 20
SIZE: Final = "SELECT size FROM log.state"
POSITIONS: Final = "SELECT consumer, position FROM platform.position"
SERVICES: Final = ("postgres", "kafka")


@dataclass(slots=True)
class Load:
    """What a process used: seconds of processor time, and at most so much resident memory."""

    processor_s: float
    memory_mib: float


@dataclass(slots=True)
class Measured:
    """Events per second; the last window's rate to the first's; what each process used meanwhile."""

    rate: float
    growth: float | None
    loads: dict[str, Load]
    events: int


class Meter:
    """Processor time and peak memory of processes; of PostgreSQL with its children, whose memory is shared."""

    def __init__(self, processes: Mapping[str, psutil.Process]) -> None:
        self._processes = processes
        self._peaks = dict.fromkeys(processes, 0.0)
        self.start()

    def start(self) -> None:
        self._before = {name: _processor_s(process) for name, process in self._processes.items()}

    def look(self) -> None:
        """Raises RuntimeError if a process ended."""
        for name, process in self._processes.items():
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                raise RuntimeError(f"{name} ended before its work was done")
            self._peaks[name] = max(self._peaks[name], float(process.memory_info().rss))

    def loads(self) -> dict[str, Load]:
        return {
            name: Load(_processor_s(process) - self._before[name], self._peaks[name] / 2**20)
            for name, process in self._processes.items()
        }


def _processor_s(process: psutil.Process) -> float:
    """Seconds of processor time of a process and of its children, those included that ended."""
    times = process.cpu_times()
    own = float(times.user + times.system + times.children_user + times.children_system)
    return own + sum(_own_s(child) for child in process.children(recursive=True))


def _own_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def services(settings: Settings) -> dict[str, psutil.Process]:
    """PostgreSQL and Kafka, as far as they run."""
    identities = settings.stack().identities()
    return {name: psutil.Process(identities[name].pid) for name in SERVICES if name in identities}


@contextmanager
def process(settings: Settings, name: str) -> Iterator[psutil.Process]:
    """`yesser run NAME` for the length of a `with`."""
    child = subprocess.Popen(subprocess_command("run", name), env=_environment(settings))
    try:
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        try:
            child.wait(END_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def command_output(settings: Settings, *command: str) -> Any:
    """What `yesser COMMAND --json` prints."""
    run = subprocess.run(
        subprocess_command(*command, "--json"), env=_environment(settings), check=True, capture_output=True
    )
    return orjson.loads(run.stdout)


def _environment(settings: Settings) -> dict[str, str]:
    return os.environ | {"YESSER_HOME": str(Path(settings.home).resolve()), "YESSER_LOG_LEVEL": "warning"}


async def registrar_alone(settings: Settings, connection: Connection, end: int) -> Measured:
    """(c) from the topics until the log has `end` entries."""
    return await _alone(settings, "registrar", lambda: connection.fetchval(SIZE), end)


async def consumer_alone(settings: Settings, connection: Connection, name: str) -> Measured:
    """(d) from its position until it is at the log's end."""

    async def position() -> int:
        return (await _positions(connection))[name]

    return await _alone(settings, name, position, await connection.fetchval(SIZE))


async def _alone(settings: Settings, name: str, count: Callable[[], Awaitable[int]], end: int) -> Measured:
    start = await count()
    with process(settings, name) as child:
        meter = Meter({name: child, **services(settings)})
        samples = [(time.perf_counter(), start)]
        begun = start
        while samples[-1][1] < end:
            meter.look()
            samples.append((time.perf_counter(), await count()))
            if begun == start and samples[-1][1] > start:
                begun = samples[-1][1]
                meter.start()
            await asyncio.sleep(SAMPLE_EVERY_S)
        return Measured(rate(samples), growth(samples), meter.loads(), max(end - begun, 1))


async def _positions(connection: Connection) -> dict[str, int]:
    found = {row["consumer"]: row["position"] for row in await connection.fetch(POSITIONS)}
    return {name: found.get(name, 0) for name in CONSUMERS}


def rebuild_seconds(settings: Settings) -> float:
    """(e) `yesser rebuild projections`: seconds, the process' start included."""
    started = time.perf_counter()
    if not command_output(settings, "rebuild", "projections", "--compare")["ok"]:
        raise RuntimeError("the rebuild differs from the live tables")
    return time.perf_counter() - started


@contextmanager
def running(settings: Settings, names: Sequence[str]) -> Iterator[dict[str, psutil.Process]]:
    """These processes for the length of a `with`."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(process(settings, name)) for name in names}


async def everything(
    settings: Settings, connection: Connection, children: Mapping[str, psutil.Process], events: int
) -> Measured:
    """(g) from the registrar's first batch until all that was published is visible, and what follows from it too.

    The registrar was just started; the others wait at the log's end. The last commitment of the read models, which may
    still be due at the end, changes nothing that is visible.
    """
    start = await connection.fetchval(SIZE)
    meter = Meter({**children, **services(settings)})
    while (begun := await connection.fetchval(SIZE)) == start:
        meter.look()
        await asyncio.sleep(SAMPLE_EVERY_S)
    meter.start()
    samples = [(time.perf_counter(), min((await _positions(connection)).values()))]
    async with end_offsets_reader(settings) as end_offsets:
        while True:
            meter.look()
            lowest = min((await _positions(connection)).values())
            samples.append((time.perf_counter(), lowest))
            if lowest == await connection.fetchval(SIZE):
                status = await read_status(connection, CONSUMERS)
                if status.halted:
                    raise RuntimeError("; ".join(status.halted))
                waits = lowest < status.size or status.outbox_count or status.triggers_count
                if not (waits or status.unread(await end_offsets(sorted(status.next_offsets)))):
                    break
            await asyncio.sleep(SAMPLE_EVERY_S)
    visible = events - (begun - start)
    return Measured(visible / (samples[-1][0] - samples[0][0]), growth(samples), meter.loads(), visible)


async def until_idle(connection: Connection) -> None:
    """Wait until all consumers are at the log's end."""
    async with asyncio.timeout(END_S):
        while True:
            if min((await _positions(connection)).values()) == await connection.fetchval(SIZE):
                return
            await asyncio.sleep(0.1)


async def latencies(settings: Settings, agency: str, lines: Sequence[bytes], events_per_s: int) -> list[Latency]:
    """(f) publish at a steady rate while everything runs; milliseconds from send to visible.

    An accepted event is visible where the position is above its index: in the projections, and where all are.
    """
    topic, sent = agency_topic(agency), [0.0] * len(lines)
    async with end_offsets_reader(settings) as end_offsets:
        first_offset = (await end_offsets([topic]))[topic]
    connection = await connect(settings, "bench")
    try:
        last_offset = first_offset + len(lines)
        watcher = asyncio.create_task(_watch(connection, topic, last_offset))
        took = await _publish_steadily(settings, agency, lines, events_per_s, sent)
        async with asyncio.timeout(END_S):
            seen = await watcher
        runs = await connection.fetch(
            "SELECT first_offset, first_index, entries_count FROM log.run WHERE topic = $1 AND first_offset >= $2",
            topic,
            first_offset,
        )
    finally:
        await connection.close()
    indexes = {
        run["first_offset"] + n - first_offset: run["first_index"] + n
        for run in runs
        for n in range(run["entries_count"])
    }
    return [
        _latency(where, [(sent[at], index) for at, index in sorted(indexes.items())], times, len(lines) / took)
        for where, times in (
            ("the projections", [(at, positions["projections"]) for at, positions in seen]),
            ("all read models", [(at, min(positions.values())) for at, positions in seen]),
        )
    ]


async def _publish_steadily(
    settings: Settings, agency: str, lines: Sequence[bytes], events_per_s: int, sent: list[float]
) -> float:
    async with AgencyPublisher(settings, agency) as publisher:
        began = time.perf_counter()
        per_tick = max(1, round(events_per_s * LATENCY_TICK_S))
        for at in range(0, len(lines), per_tick):
            await asyncio.sleep(max(0.0, began + at / events_per_s - time.perf_counter()))
            part = lines[at : at + per_tick]
            sent[at : at + per_tick] = [time.perf_counter()] * len(part)
            for line in part:
                await publisher.add(line)
            await publisher.push()
        took = time.perf_counter() - began
        await publisher.flush()
    return took


def _latency(
    where: str, events: Sequence[tuple[float, int]], seen: Sequence[tuple[float, int]], events_per_s: float
) -> Latency:
    """Both are in order, so one walk finds the first reading at which each event is visible."""
    waits, reading = [], 0
    for sent_at, index in events:
        while seen[reading][1] <= index:
            reading += 1
        waits.append(1_000 * (seen[reading][0] - sent_at))
    return Latency(where, statistics.median(waits), statistics.quantiles(waits, n=100)[98], len(waits), events_per_s)


async def _watch(connection: Connection, topic: str, last_offset: int) -> list[tuple[float, dict[str, int]]]:
    """Read the positions until the topic is read up to `last_offset` and all are at the log's end."""
    seen: list[tuple[float, dict[str, int]]] = []
    read = "SELECT next_offset FROM log.read_position WHERE topic = $1"
    while True:
        looks_for_end = len(seen) % END_EVERY == 0
        is_read = looks_for_end and await connection.fetchval(read, topic) == last_offset
        size = await connection.fetchval(SIZE) if is_read else None
        seen.append((time.perf_counter(), await _positions(connection)))
        if size is not None and min(seen[-1][1].values()) >= size:
            return seen
        await asyncio.sleep(WATCH_EVERY_S)
