"""The gateway beside a bare Starlette application that forwards bodies to Kafka: same server, same load, one run.

    python -m tests.bench.gateway [--seconds N] [--json FILE]

Batches of 100 are sent over kept-alive connections as fast as answers come; single events at a steady rate. Rates
depend on what else the machine does, processor time for an event hardly does, so both are shown. Everything runs on a
stack of its own, the load in this process.
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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
import psutil
import uvloop

from infra.embedded.ports import choose
from infra.embedded.stack import running_stack
from infra.postgres import connect
from infra.settings import Settings
from producers.agencies import NewAgency, add_agencies
from producers.genesis import prepare
from producers.tokens import Asked, create_token, hash_key
from tests.bench.load_client import Connection, request_bytes
from tests.bench.system import process

BATCH: Final = 100
CONNECTIONS: Final = 8
SINGLE_PER_S: Final = 500
SINGLE_CONNECTIONS: Final = 16
SERVE: Final = "tests.bench.bare_gateway"


@dataclass(slots=True)
class Result:
    """Events a second with batches; milliseconds of single events; the most memory of the process."""

    events_per_s: float = 0.0
    events: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    memory_mib: list[float] = field(default_factory=list)
    batch_us_per_event: list[float] = field(default_factory=list)
    single_us: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measurement")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="yesser-bench-") as folder,
        running_stack(Path(folder) / "home", only=("kafka", "postgres")) as settings,
    ):
        figures = uvloop.run(run(settings, arguments.seconds))
    sys.stdout.write(orjson.dumps(figures, option=orjson.OPT_INDENT_2).decode() + "\n")
    if arguments.json:
        arguments.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


async def run(settings: Settings, seconds: float) -> dict[str, Any]:
    """One whole run: bare, gateway, in turns, so that both meet the same machine."""
    token = await _register(settings)
    bare_port, port = choose([None, None])
    results = {"bare": Result(), "gateway": Result()}
    rates: dict[str, list[float]] = {"bare": [], "gateway": []}
    with _serving("bare", settings, bare_port) as bare, _serving("gateway", settings, port) as gateway:
        await _until_answering(bare_port)
        await _until_answering(port)
        targets = {"bare": (bare_port, bare), "gateway": (port, gateway)}
        for _ in range(3):
            for name, (at, child) in targets.items():
                before, events = _processor_s(child), results[name].events
                rates[name].append(await _batches(at, token, seconds / 3, results[name]))
                spent_us = 1e6 * (_processor_s(child) - before)
                results[name].batch_us_per_event.append(spent_us / (results[name].events - events))
                results[name].memory_mib.append(child.memory_info().rss / 2**20)
        for name, (at, child) in targets.items():
            before = _processor_s(child)
            waits = await _singles(at, token, seconds, results[name])
            results[name].single_us = 1e6 * (_processor_s(child) - before) / len(waits)
            cuts = statistics.quantiles(waits, n=100)
            results[name].p50_ms, results[name].p99_ms = statistics.median(waits), cuts[98]
            results[name].events_per_s = statistics.median(rates[name])
    ratio = results["gateway"].events_per_s / results["bare"].events_per_s
    return {"ratio": round(ratio, 3), **{name: _document(result) for name, result in results.items()}}


def _processor_s(child: psutil.Process) -> float:
    """Seconds of processor time that the process has used."""
    times = child.cpu_times()
    return float(times.user + times.system)


def _document(result: Result) -> dict[str, Any]:
    return {
        "events_per_s": round(result.events_per_s),
        "p50_ms": round(result.p50_ms, 2),
        "p99_ms": round(result.p99_ms, 2),
        "processor_us_per_event_in_batches": round(statistics.median(result.batch_us_per_event), 1),
        "processor_us_per_single_event": round(result.single_us),
        "memory_mib": [round(size) for size in result.memory_mib],
        "statuses": {str(status): count for status, count in result.statuses.items()},
    }


async def _batches(port: int, token: str, seconds: float, result: Result) -> float:
    """Events a second while `seconds` last."""
    end = time.perf_counter() + seconds
    sent, tag = 0, _tag()

    async def one(number: int) -> None:
        nonlocal sent
        async with Connection(port) as connection:
            round_number = 0
            while time.perf_counter() < end:
                round_number += 1
                first = f"{tag}-{number}-{round_number}"
                body = b"[" + b",".join(_event(f"{first}-{n}") for n in range(BATCH)) + b"]"
                status = await connection.ask(request_bytes(token, "application/cloudevents-batch+json", body))
                result.statuses[status] = result.statuses.get(status, 0) + 1
                sent += BATCH
                result.events += BATCH

    started = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(CONNECTIONS)))
    return sent / (time.perf_counter() - started)


async def _singles(port: int, token: str, seconds: float, result: Result) -> list[float]:
    """Milliseconds from when each request was due to its answer: a late start counts against the server."""
    began = time.perf_counter() + 0.1
    total = int(SINGLE_PER_S * seconds)
    waits: list[float] = []
    tag = _tag()

    async def one(offset: int) -> None:
        async with Connection(port) as connection:
            for number in range(offset, total, SINGLE_CONNECTIONS):
                due = began + number / SINGLE_PER_S
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                body = _event(f"{tag}-{number}")
                status = await connection.ask(request_bytes(token, "application/cloudevents+json", body))
                result.statuses[status] = result.statuses.get(status, 0) + 1
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
def _serving(name: str, settings: Settings, port: int) -> Iterator[psutil.Process]:
    """The gateway as a user runs it, or the bare application on the same server."""
    if name == "gateway":
        os.environ["YESSER_GATEWAY_PORT"] = str(port)
        os.environ["YESSER_GATEWAY_REQUESTS_PER_S"] = "100000"
        os.environ["YESSER_GATEWAY_REQUESTS_BURST"] = "100000"
        with process(settings, "gateway") as child:
            yield child
        return
    environment = os.environ | {"YESSER_HOME": str(settings.home.resolve())}
    child_process = subprocess.Popen([sys.executable, "-m", SERVE, str(port)], env=environment)
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
        made = await create_token(connection, hash_key(settings), Asked("agency", "health", 1))
        return made.token
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
