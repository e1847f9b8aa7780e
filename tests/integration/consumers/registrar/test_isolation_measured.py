"""One agency floods its topic: from published to registered, the events of the others take at most twice as long."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest

from infra.postgres.connection import Connection
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from producers.publisher.kafka_publisher import AgencyPublisher
from tests.integration.consumers.registrar.registering import (
    HEALTH_TOPIC,
    LABOUR_TOPIC,
    PLATFORM_TOPIC,
    found,
    make_topics,
    records,
    send,
    until,
    until_shipped,
    until_size,
)
from tests.scenarios.figures import tell
from tests.unit.consumers.registrar.readings import LABOUR, registered, said

pytestmark = pytest.mark.accept

EVENTS_PER_S = 100
MEASURED_S = 8.0
TIMES_MAX = 2.0
Environment = Callable[..., dict[str, str]]


def valid(count: int) -> Iterator[bytes]:
    return (said(f"e{n}") for n in range(count))


def duplicates(count: int) -> Iterator[bytes]:
    return (said("again") for _ in range(count))


def conflicts(count: int) -> Iterator[bytes]:
    return (said("same", f"word {n}") for n in range(count))


def refusals(count: int) -> Iterator[bytes]:
    """Every fifth record is good, so that the topic is not paused."""
    return (said(f"e{n}") if n % 4 == 0 else b'{"specversion":"1.0"}' for n in range(count))


def big(count: int) -> Iterator[bytes]:
    return (b"{" + b" " * 60_000 + said(f"e{n}")[1:] for n in range(count))


FLOODS: dict[str, Iterator[bytes]] = {
    "valid events": valid(150_000),
    "duplicates": duplicates(150_000),
    "conflicts": conflicts(60_000),
    "refused records": refusals(40_000),
    "records of 60 kB": big(5_000),
}


@asynccontextmanager
async def registrars(environment: Environment, count: int) -> AsyncIterator[None]:
    """Processes of their own: one works, the others stand by."""
    children = [
        await asyncio.create_subprocess_exec(*subprocess_command(), "run", "registrar", env=environment())
        for _ in range(count)
    ]
    try:
        yield
        assert [child.returncode for child in children] == [None] * count
    finally:
        for child in children:
            child.terminate()
        for child in children:
            await child.wait()


async def publish_steadily(settings: Settings, name: str, goes_on: Callable[[float], bool]) -> int:
    """Publish an agency's events at a steady rate; how many they were."""
    async with AgencyPublisher(settings.model_copy(update={"kafka_user": "admin"}), "labour") as publisher:
        began, count = time.monotonic(), 0
        while goes_on(time.monotonic() - began):
            await asyncio.sleep(began + count / EVENTS_PER_S - time.monotonic())
            await publisher.add(said(f"{name}-{count}", agency=LABOUR))
            await publisher.push()
            count += 1
        await publisher.flush()
    return count


async def waits_ms(settings: Settings, offsets: range) -> list[int]:
    """From published to registered and shipped, by the broker's clock."""
    published = {record.offset: record.timestamp for record in await records(settings, LABOUR_TOPIC)}
    registered_at: dict[int, int] = {}
    for record in await records(settings, settings.log_topic):
        address = record.value[:200].partition(b'"from":"')[2].partition(b'"')[0].decode()
        topic, _, offset = address.split("/")
        if topic == LABOUR_TOPIC:
            registered_at.setdefault(int(offset), record.timestamp)
    return [registered_at[offset] - published[offset] for offset in offsets]


def p99(waits: Sequence[int]) -> float:
    return statistics.quantiles(waits, n=100)[98]


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_at_most_doubles_the_others_p99(
    settings: Settings, connection: Connection, environment: Environment, flood: str
) -> None:
    await found(settings, "labour")
    await make_topics(settings, "health")
    backlog = list(FLOODS[flood])
    await send(settings, HEALTH_TOPIC, *backlog)
    async with registrars(environment, 2):
        await until_size(connection, 3)
        await asyncio.sleep(1)
        warm = await publish_steadily(settings, "warm", lambda passed_s: passed_s < 2)
        alone = await publish_steadily(settings, "alone", lambda passed_s: passed_s < MEASURED_S)
        first = warm + alone
        await send(settings, PLATFORM_TOPIC, registered("health"))

        async def position() -> int:
            return (
                await connection.fetchval("SELECT next_offset FROM log.read_position WHERE topic = $1", HEALTH_TOPIC)
                or 0
            )

        async def begun() -> bool:
            return await position() > 0

        await until(begun, "the flood is read")
        began, from_offset = time.monotonic(), await position()
        done_at: list[float] = []

        async def watch() -> None:
            while await position() < len(backlog):
                await asyncio.sleep(0.05)
            done_at.append(time.monotonic())

        watching = asyncio.create_task(watch())
        beside = await publish_steadily(settings, "beside", lambda passed_s: passed_s < MEASURED_S and not done_at)
        watching.cancel()
        flooded = await position() - from_offset
        rate = flooded / ((done_at[0] if done_at else time.monotonic()) - began)

        async def all_read() -> bool:
            read: int = await connection.fetchval(
                "SELECT next_offset FROM log.read_position WHERE topic = $1", LABOUR_TOPIC
            )
            return read == first + beside

        await until(all_read, "the others' events are registered", patience_s=120)
        size = await connection.fetchval("SELECT size FROM log.state")
        await until_shipped(connection, size)
        epoch = await connection.fetchval("SELECT epoch FROM platform.lease WHERE name = 'registrar'")
        waits_alone = await waits_ms(settings, range(warm, first))
        waits_beside = await waits_ms(settings, range(first, first + beside))
    tell(
        f"flood of {flood} ({rate:,.0f}/s read): published to registered p50 {statistics.median(waits_beside):.0f} ms,"
        f" p99 {p99(waits_beside):.0f} ms of {beside}; without it p50 {statistics.median(waits_alone):.0f} ms,"
        f" p99 {p99(waits_alone):.0f} ms; max {max(waits_beside)} ms, epoch {epoch}"
    )
    assert epoch == 1
