"""`make bench`: the system and its peers, side by side in one run, on the same topics and events.

    python -m tests.bench [--events N] [--runs N] [--json FILE]

Everything runs on a stack of its own in a temporary folder, on loopback, and ends by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson
from rich.console import Console

from infra.embedded.stack import running_stack
from infra.kafka.client_config import agency_topic
from infra.postgres.connection import connect
from infra.settings import Settings
from producers.agencies.genesis import prepare
from producers.agencies.register import NewAgency, add_agencies
from producers.publisher.kafka_publisher import AgencyPublisher
from tests.bench.figures import Figures, Rate, show
from tests.bench.peers import ceiling, obvious
from tests.bench.system import PROJECTED, REGISTERED, latency, process, rebuild_seconds, run_until
from tests.oracle.bench_history import bench_agencies, generate_bench

SEED: Final = 20261125
LATENCY_EVENTS_PER_S: Final = 1_000
LATENCY_S: Final = 15
OBVIOUS_S: Final = 8.0
MEMORY_GOAL_MIB: Final = 300

console = Console(stderr=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="events in the topics (default 1,000,000)")
    parser.add_argument("--runs", type=int, default=1, help="whole runs, each on a fresh stack (medians are shown)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    figures = Figures(arguments.events)
    for number in range(arguments.runs):
        console.rule(f"run {number + 1} of {arguments.runs}")
        with (
            tempfile.TemporaryDirectory(prefix="yesser-bench-") as folder,
            running_stack(Path(folder) / "home", only=("kafka", "postgres")) as settings,
        ):
            asyncio.run(run(settings, arguments.events, figures))
    show(figures, Console())
    if arguments.json:
        arguments.json.write_bytes(orjson.dumps(figures.document(), option=orjson.OPT_INDENT_2))


async def run(settings: Settings, events: int, figures: Figures) -> None:
    """One whole run."""
    codes = bench_agencies()
    await _register_agencies(settings, codes)
    with console.status(f"publishing {events:,} events"):
        started = time.perf_counter()
        late = await _publish(settings, events, LATENCY_EVENTS_PER_S * LATENCY_S)
        console.print(f"published {events:,} events at {events / (time.perf_counter() - started):,.0f}/s")
    topics = [agency_topic(code) for code in ("yesser", *codes)]
    _add(figures, "ceiling", "(a) aiokafka getmany, nothing else", events, await ceiling(settings, topics, events))
    rate = await obvious(settings, topics[1], OBVIOUS_S)
    _add(figures, "obvious", "(b) FastStream, a handler and a transaction per event", events, rate)
    connection = await connect(settings, "bench")
    end = await connection.fetchval(REGISTERED) + events
    await connection.close()
    for name, title, process_name, query, goal in (
        ("registrar", "(c) the registrar", "registrar", REGISTERED, 30_000),
        ("projections", "(d) the projections", "projections", PROJECTED, 80_000),
    ):
        measured = await run_until(settings, process_name, query, end, events // 10)
        line = _add(figures, name, title, events, measured.rate)
        line.goal, line.memory_mib = goal, max(line.memory_mib or 0, measured.memory_mib)
        figures.growth[name] = measured.rate / measured.early_rate
        console.print(f"{title}: {measured.rate:,.0f}/s, {measured.memory_mib:,.0f} MiB")
    figures.rebuild_seconds[f"the projections from {end:,} entries, compared row by row"] = rebuild_seconds(settings)
    with ExitStack() as processes:
        for name in ("registrar", "projections"):
            processes.enter_context(process(settings, name))
        await asyncio.sleep(4)
        figures.latency = await latency(settings, codes[0], late, LATENCY_EVENTS_PER_S)


def _add(figures: Figures, name: str, title: str, events: int, rate: float) -> Rate:
    line = next((r for r in figures.rates if r.name == name), None)
    if line is None:
        figures.rates.append(line := Rate(name, title, events=events))
    line.runs.append(rate)
    console.print(f"{title}: {rate:,.0f}/s")
    return line


async def _register_agencies(settings: Settings, codes: Iterable[str]) -> None:
    await prepare(settings)
    connection = await connect(settings, "bench")
    with process(settings, "registrar"), process(settings, "relay"):
        agencies = [NewAgency(code, "agency", f"جهة {code}", f"Agency {code}") for code in codes]
        await add_agencies(connection, settings, agencies, lambda: datetime.now(UTC))
    await connection.close()


async def _publish(settings: Settings, events: int, late: int) -> list[bytes]:
    """Publish the first `events` of the history; returns `late` more of the first agency, not published yet."""
    codes = ("yesser", *bench_agencies())
    publishers = {code: AgencyPublisher(settings, code) for code in codes}
    kept: list[bytes] = []
    try:
        for publisher in publishers.values():
            await publisher.__aenter__()
        for number, (code, line) in enumerate(generate_bench(SEED, events + late * (len(codes) + 1))):
            if number < events:
                await publishers[code].add(line)
            elif code == codes[1]:
                kept.append(line)
                if len(kept) == late:
                    break
        for publisher in publishers.values():
            await publisher.flush()
    finally:
        for publisher in publishers.values():
            await publisher.__aexit__(None, None, None)
    return kept


if __name__ == "__main__":
    main()
