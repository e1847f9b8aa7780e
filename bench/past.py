"""The plan as of any index while the log grows, and what it costs to keep what rows were: one run, one machine.

    python -m bench.past [--entries N] [--asked N] [--pairs N] [--traffic programme|mixed|uniform] [--json FILE]
    python -m bench.past --traffic partnerships [--partnerships N] …     # receipts of so many in turn

The log is written as the registrar would write it, and the three consumers of the plan apply it from PostgreSQL. At an
eighth, a quarter, a half and the whole of it, the plan is asked for as of random indexes, and the read models are
hashed for a commitment. A million entries take four minutes. The pairs apply the first entries with and without past
rows in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

import orjson
import psutil
from rich.console import Console

from bench.history import generate_bench
from bench.ledger import history
from bench.system import Meter, command_output, services
from bench.traffic import mixed, uniform
from consumers.models.migrate_command import migrate_database
from consumers.programme.plan.document import PLAN_CONSUMERS, plan_at_a_glance
from consumers.proof.commitments import chunks
from consumers.proof.commitments.commitment import hash_read_models
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.past_rows import SQL_FILE
from consumers.replay.pipeline.writer import Writer
from infra.embedded.stack import running_stack
from infra.log.layout import TILE
from infra.log.merkle import leaf_hash
from infra.postgres.connection import Connection, connect
from infra.postgres.migrate import create_tables
from infra.principals import SUPERUSER
from infra.settings import Settings
from tests.oracle.log import recorded_at
from tests.world.logs import raw_entries

PARTS: Final = (8, 4, 2, 1)
PAIR_ENTRIES: Final = 256 * TILE
COMMANDS: Final = 5
SERVICES_OF_EACH: Final = 19
"""Services, and projects, of each of eight agencies: the programme plans 150 services."""
SEGMENTS_AT_ONCE: Final = 200

SIZES: Final = """
SELECT relnamespace::regnamespace || '.' || relname, pg_total_relation_size(oid) FROM pg_class
WHERE relname LIKE 'past%' AND relkind = 'r' OR relname = 'segment' ORDER BY 1
"""

console = Console()


def accepted(traffic: str, number: int) -> Iterator[tuple[str, bytes]]:
    """So many accepted events. In mixed and uniform traffic services and partnerships grow with the log; the programme
    has 152 and 200 of them. Its services are not suspended: a campaign keeps that until its trigger is in the log, and
    this log has no triggers."""
    if traffic == "programme":
        return (
            (code, line)
            for code, line in generate_bench(3, 2 * number, of_each_max=SERVICES_OF_EACH)
            if b".service.suspended." not in line and b".service.resumed." not in line
        )
    lines = (mixed if traffic == "mixed" else uniform)(3, number + number // 20)
    return ((code, line) for code, line, outcome in lines if outcome == "accepted")


def entries(traffic: str, number: int, partnerships: int) -> Iterator[bytes]:
    """Entries of what is accepted, one a minute."""
    if traffic == "partnerships":
        yield from raw_entries(history(number - partnerships, partnerships))
        return
    for index, (code, line) in enumerate(islice(accepted(traffic, number), number)):
        head = f'{{"recordedtime":"{recorded_at(index, 60)}","from":"agency.{code}.events/0/{index}","event":'
        yield head.encode() + line + b"}"


async def write(connection: Connection, source: Iterator[bytes], first: int, end: int) -> None:
    """Append the entries `first … end - 1` to the log; both are multiples of a bundle but at the end."""
    while first < end:
        rows: list[tuple[int, int, bytes, bytes]] = []
        while first < end and len(rows) < SEGMENTS_AT_ONCE:
            part = list(islice(source, min(TILE, end - first)))
            bundle = b"".join(len(entry).to_bytes(2, "big") + entry for entry in part)
            rows.append((first, len(part), bundle, b"".join(map(leaf_hash, part))))
            first += len(part)
        await connection.copy_records_to_table("segment", schema_name="log", records=rows)
    await connection.execute("UPDATE log.state SET size = $1", end)


async def applied(settings: Settings, connection: Connection, consumer: Consumer, end: int) -> float:
    """µs of processor time per entry, from the position to `end`: of this process and of PostgreSQL."""
    await connection.execute(f"SET search_path = {consumer.schema}")
    writer = Writer(consumer, connection, 1)
    assert await writer.open()
    count = end - writer.position
    meter = Meter({"bench": psutil.Process(), "postgres": services(settings)["postgres"]})
    await writer.fill(end, is_gap=False)
    return 1e6 * sum(load.processor_s for load in meter.loads().values()) / count


async def empty(connection: Connection, consumer: Consumer) -> None:
    await connection.execute(f"DROP SCHEMA {consumer.schema} CASCADE")
    await connection.execute("DELETE FROM platform.position WHERE consumer = $1", consumer.name)
    await create_tables(connection, consumer.schema, consumer.create_sql())
    await connection.execute("CHECKPOINT")


async def pairs(settings: Settings, connection: Connection, number: int, end: int) -> dict[str, list[float]]:
    """The cost with past rows to that without, consumer by consumer, in pairs in turn."""
    found = defaultdict(list)
    for turn in range(number):
        for consumer in PLAN_CONSUMERS:
            without = replace(consumer, sql_files=tuple(file for file in consumer.sql_files if file != SQL_FILE))
            costs = {}
            for each in (consumer, without) if turn % 2 else (without, consumer):
                await empty(connection, each)
                costs[each.keeps_past] = await applied(settings, connection, each, end)
            found[consumer.name].append(costs[True] / costs[False])
            await empty(connection, consumer)
    return found


async def asked(settings: Settings, size: int, number: int, random: Random) -> tuple[list[float], list[float]]:
    """Seconds for the plan as of random indexes of the log, of the clock and of processor time, in order."""
    took, used = [], []
    for index in random.sample(range(size), number):
        meter = Meter({"bench": psutil.Process(), "postgres": services(settings)["postgres"]})
        started = time.perf_counter()
        document, _ = await plan_at_a_glance(settings, index)
        took.append(time.perf_counter() - started)
        used.append(sum(load.processor_s for load in meter.loads().values()))
        assert document.log_index == index
    return sorted(took), sorted(used)


def percentiles(ordered: list[float]) -> dict[str, float]:
    return {"p50": statistics.median(ordered), "p95": ordered[int(0.95 * (len(ordered) - 1))], "longest": ordered[-1]}


async def hashed(connection: Connection) -> tuple[float, float]:
    """Seconds for the hashes of the plan's consumers, and of the longest transaction."""
    longest = 0.0
    given = chunks.snapshot

    @asynccontextmanager
    async def timed(connection: Connection, consumer: Consumer) -> AsyncIterator[None]:
        nonlocal longest
        began = time.perf_counter()
        async with given(connection, consumer):
            yield
        longest = max(longest, time.perf_counter() - began)

    chunks.snapshot = timed
    started = time.perf_counter()
    try:
        assert await hash_read_models(connection, PLAN_CONSUMERS)
    finally:
        chunks.snapshot = given
    return time.perf_counter() - started, longest


async def whole(settings: Settings, given: argparse.Namespace) -> dict[str, object]:
    connection = await connect(settings, "bench", batch=True)
    figures: dict[str, object] = {}
    random = Random(7)
    try:
        source, first = entries(given.traffic, given.entries, given.partnerships), 0
        if given.pairs:
            await write(connection, source, 0, first := PAIR_ENTRIES)
            figures["with to without"] = costs_with = await pairs(settings, connection, given.pairs, first)
            for name, ratios in costs_with.items():
                listed = ", ".join(f"{ratio:.3f}" for ratio in ratios)
                console.print(f"{name}: {statistics.median(ratios):.3f} of the cost without past rows ({listed})")
        for part in PARTS:
            end = given.entries if part == 1 else given.entries // part // TILE * TILE
            if end <= first:
                continue
            await write(connection, source, first, end)
            costs = {c.name: await applied(settings, connection, c, end) for c in PLAN_CONSUMERS}
            await connection.execute("ANALYZE")
            took, used = map(percentiles, await asked(settings, end, given.asked, random))
            applying = ", ".join(f"{name} {cost:.1f}" for name, cost in costs.items())
            for name, found in (("s", took), ("s of processor time", used)):
                shown = ", ".join(f"{figure} {value:.3f} {name}" for figure, value in found.items())
                console.print(f"{end:,} entries: plan {shown}")
            console.print(f"    µs of processor time per entry applied: {applying}")
            hashing, longest = await hashed(connection)
            console.print(
                f"    the commitments took {hashing:.1f} s, {1e6 * hashing / end:.1f} µs per entry of the log;"
                f" the longest transaction {longest:.2f} s"
            )
            figures[str(end)] = {
                "plan_s": took, "plan_processor_s": used, "applied_us": costs,
                "commitments_s": hashing, "longest_snapshot_s": longest,
            }  # fmt: skip
            first = end
        figures["bytes"] = sizes = dict(await connection.fetch(SIZES))
        for name, size in sizes.items():
            console.print(f"{name}: {size / 2**20:,.1f} MiB, {size / given.entries:,.0f} bytes an entry")
    finally:
        await connection.close()
    return figures


def commands(settings: Settings, size: int) -> list[float]:
    """Seconds of `yesser plan --as-of-index`, the start of its process included."""
    took = []
    for index in Random(8).sample(range(size), COMMANDS):
        started = time.perf_counter()
        command_output(settings, "plan", "--as-of-index", str(index))
        took.append(time.perf_counter() - started)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000, help="entries of the log (default 1,000,000)")
    parser.add_argument("--asked", type=int, default=40, help="random indexes at each size (default 40)")
    parser.add_argument("--pairs", type=int, default=0, help="pairs with and without past rows (default none)")
    parser.add_argument("--traffic", choices=("programme", "mixed", "uniform", "partnerships"), default="mixed")
    parser.add_argument("--partnerships", type=int, default=4_000, help="of the traffic `partnerships`")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="yesser-bench-") as folder,
        running_stack(Path(folder) / "home", only=("postgres",)) as settings,
    ):
        asyncio.run(migrate_database(settings))
        figures = asyncio.run(whole(settings.acting_as(SUPERUSER), given))
        took = commands(settings, given.entries)
        console.print(f"`yesser plan --as-of-index`, its start included: {statistics.median(took):.2f} s")
    if given.json:
        given.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
