"""The plan as of any index, what its commitments take, and a rebuild, over a log that is written as the registrar does.

Consumers apply the log from PostgreSQL. The plan is asked for over logs of the programme's size, 152 services and 200
partnerships, at an eighth, a quarter, a half and the whole of the entries.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from random import Random
from typing import Final

import psutil

from bench.figures import Figures
from bench.history import generate_bench
from bench.system import Meter, command_output, rebuild_seconds, services, stack
from bench.topics import SEED
from bench.traffic import mixed
from consumers.models.migrate_command import migrate_database
from consumers.programme.plan.document import PLAN_CONSUMERS, plan_at_a_glance
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.proof.commitments import chunks
from consumers.proof.commitments.commitment import hash_read_models
from consumers.replay.fold.consumer import Consumer
from consumers.replay.pipeline.writer import Writer
from infra.log.layout import TILE
from infra.log.merkle import leaf_hash
from infra.postgres.connection import Connection, connected
from infra.settings import Settings
from tests.oracle.log import recorded_at

PARTS: Final = (8, 4, 2, 1)
COMMANDS: Final = 5
ASKED: Final = 40
SERVICES_OF_EACH: Final = 19
"""Services, and projects, of each of eight agencies: the programme plans 150 services."""
SEGMENTS_AT_ONCE: Final = 200

SIZES: Final = """
SELECT relnamespace::regnamespace || '.' || relname, pg_total_relation_size(oid) FROM pg_class
WHERE relname LIKE 'past%' AND relkind = 'r' OR relname = 'segment' ORDER BY 1
"""


def programme(number: int) -> Iterator[tuple[str, bytes]]:
    """So many accepted events of 152 services and 200 partnerships, which do not grow with the log. Services are not
    suspended: a campaign keeps that until its trigger is in the log, and this log has no triggers."""
    return (
        (code, line)
        for code, line in generate_bench(SEED, 2 * number, of_each_max=SERVICES_OF_EACH)
        if b".service.suspended." not in line and b".service.resumed." not in line
    )


def mixed_accepted(number: int) -> Iterator[tuple[str, bytes]]:
    """So many accepted events of mixed traffic."""
    return ((code, line) for code, line, outcome in mixed(SEED, 2 * number) if outcome == "accepted")


def entries(events: Iterator[tuple[str, bytes]], number: int) -> Iterator[bytes]:
    """So many entries, one a minute."""
    for index, (code, line) in enumerate(islice(events, number)):
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


async def measure(size: int, figures: Figures) -> None:
    """One run, of the plan as of an index."""
    random = Random(7)
    with stack("postgres") as settings:
        await migrate_database(settings)
        async with connected(settings, "bench", batch=True) as connection:
            source, first = entries(programme(size), size), 0
            for part in PARTS:
                end = size if part == 1 else size // part // TILE * TILE
                await write(connection, source, first, end)
                row, first = f"{end:,} entries", end
                for consumer in PLAN_CONSUMERS:
                    figures.add(row, f"{consumer.name} µs/entry", await applied(settings, connection, consumer, end))
                await connection.execute("ANALYZE")
                await _ask(settings, end, random, row, figures)
                hashing_s, longest_s = await hashed(connection)
                figures.add(row, "commitments s", hashing_s)
                figures.add(row, "longest transaction s", longest_s)
            for table, table_bytes in await connection.fetch(SIZES):
                figures.add(table, "MiB", table_bytes / 2**20)
        figures.add("`yesser plan --as-of-index`", "plan p50 s", statistics.median(_commands(settings, size)))


async def _ask(settings: Settings, size: int, random: Random, row: str, figures: Figures) -> None:
    for name, ordered in zip(("s", "s of processor time"), await asked(settings, size, ASKED, random), strict=True):
        figures.add(row, f"plan p50 {name}", statistics.median(ordered))
        figures.add(row, f"plan p95 {name}", ordered[int(0.95 * (len(ordered) - 1))])
        figures.add(row, f"plan longest {name}", ordered[-1])


async def measure_rebuild(size: int, figures: Figures) -> None:
    """A rebuild of the projections of mixed traffic, compared with the live tables row by row."""
    with stack("postgres") as settings:
        await migrate_database(settings)
        async with connected(settings, "bench", batch=True) as connection:
            await write(connection, entries(mixed_accepted(size), size), 0, size)
            figures.add("applied live", "µs/entry", await applied(settings, connection, PROJECTIONS, size))
        figures.add("rebuilt and compared", "s", rebuild_seconds(settings))


def _commands(settings: Settings, size: int) -> list[float]:
    """Seconds of `yesser plan --as-of-index`, the start of its process included."""
    took = []
    for index in Random(8).sample(range(size), COMMANDS):
        started = time.perf_counter()
        command_output(settings, "plan", "--as-of-index", str(index))
        took.append(time.perf_counter() - started)
    return took
