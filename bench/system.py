"""The system itself: its processes, what they use of the machine, each of them alone, and everything together."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import psutil

from bench.figures import Samples, rate
from bench.traffic import Expected
from consumers.models.registry import CONSUMERS
from consumers.relay.wait_command import read_status
from infra.embedded.processes.signals import usual_parts
from infra.embedded.stack import running_stack
from infra.kafka.end_offsets import end_offsets_reader
from infra.postgres.connection import Connection
from infra.principals import SUPERUSER
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings

END_S: Final = 60.0
SETTLE_S: Final = 900.0
SAMPLE_EVERY_S: Final = 0.02
SIZE: Final = "SELECT size FROM log.state"
POSITIONS: Final = "SELECT consumer, position FROM platform.position"
WAL_BYTES: Final = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"
SERVICES: Final = ("postgres", "kafka")
BESIDE: Final = tuple(sorted(usual_parts() & {"relay", "consumers", *CONSUMERS}))
"""The processes that run beside the registrar when everything does, as `yesser up` starts them on this machine."""


@dataclass(slots=True)
class Load:
    """What a process used: seconds of processor time, and at most so much resident memory."""

    processor_s: float
    memory_mib: float


@dataclass(slots=True)
class Measured:
    """Events per second, as they were done; what each process used meanwhile. Of everything together also how the
    registrar went on, and the bytes of WAL."""

    rate: float
    samples: Samples
    loads: dict[str, Load]
    events: int
    registered: Samples = ()
    wal_bytes: int = 0


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
    return own + sum(own_s(child) for child in process.children(recursive=True))


def own_s(process: psutil.Process) -> float:
    """Seconds of processor time of the process alone; 0 once it has ended."""
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
def stack(*only: str) -> Iterator[Settings]:
    """These services, Kafka and PostgreSQL by default, with their superuser, in a temporary folder."""
    with (
        tempfile.TemporaryDirectory(prefix="yesser-bench-") as folder,
        running_stack(Path(folder) / "home", only=only or SERVICES) as settings,
    ):
        yield settings.acting_as(SUPERUSER)


@contextmanager
def process(settings: Settings, name: str, variables: dict[str, str] | None = None) -> Iterator[psutil.Process]:
    """`yesser run NAME` for the length of a `with`, with further environment variables."""
    child = subprocess.Popen(subprocess_command("run", name), env=_environment(settings) | (variables or {}))
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
    """From the topics until the log has `end` entries."""
    return await _alone(settings, "registrar", lambda: connection.fetchval(SIZE), end)


async def consumer_alone(settings: Settings, connection: Connection, name: str) -> Measured:
    """From its position until it is at the log's end."""

    async def position() -> int:
        return (await positions(connection))[name]

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
        return Measured(rate(samples), samples, meter.loads(), max(end - begun, 1))


async def positions(connection: Connection) -> dict[str, int]:
    found = {row["consumer"]: row["position"] for row in await connection.fetch(POSITIONS)}
    return {name: found.get(name, 0) for name in CONSUMERS}


def rebuild_seconds(settings: Settings) -> float:
    """`yesser rebuild projections --compare`: seconds, the process' start included."""
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
    settings: Settings, connection: Connection, children: Mapping[str, psutil.Process], result: Expected
) -> Measured:
    """From the registrar's first batch until all that was published is visible, and what follows from it too.

    The registrar was just started; the others wait at the log's end. Samples end with the last entry of what was
    published: the platform's own that follow are slower to come. The last commitment of the read models, which may
    still be due at the end, changes nothing that is visible.
    """
    start = await connection.fetchval(SIZE)
    meter = Meter({**children, **services(settings)})
    while (begun := await connection.fetchval(SIZE)) == start:
        meter.look()
        await asyncio.sleep(SAMPLE_EVERY_S)
    meter.start()
    wal_before = await connection.fetchval(WAL_BYTES)
    end = start + result.entries
    samples = [(time.perf_counter(), min((await positions(connection)).values()))]
    registered = [(samples[0][0], begun)]
    async with end_offsets_reader(settings) as end_offsets:
        while True:
            meter.look()
            lowest = min((await positions(connection)).values())
            samples.append((time.perf_counter(), min(lowest, end)))
            size = await connection.fetchval(SIZE)
            registered.append((time.perf_counter(), min(size, end)))
            if lowest == size:
                status = await read_status(connection, CONSUMERS)
                if status.halted:
                    raise RuntimeError("; ".join(status.halted))
                waits = lowest < status.size or status.outbox_count or status.triggers_count
                if not (waits or status.unread(await end_offsets(sorted(status.next_offsets)))):
                    break
            await asyncio.sleep(SAMPLE_EVERY_S)
    visible = result.events - (begun - start)
    wal_bytes = await connection.fetchval(WAL_BYTES) - wal_before
    took_s = samples[-1][0] - samples[0][0]
    return Measured(visible / took_s, samples, meter.loads(), visible, registered, wal_bytes)


async def until_idle(connection: Connection, entries: int = 0) -> None:
    """Wait until the log has so many entries and all consumers are at its end."""
    async with asyncio.timeout(SETTLE_S):
        while True:
            size = await connection.fetchval(SIZE)
            if size >= entries and min((await positions(connection)).values()) == size:
                return
            await asyncio.sleep(0.1)
