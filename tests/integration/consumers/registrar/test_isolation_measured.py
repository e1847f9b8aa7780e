"""One agency floods its topic, or writes records that cost as much as they can: the others wait little, and no
registrar takes over from the other.

From published to registered is measured by the broker's clock: from the time at which it stored an agency's record to
the time at which it stored the entry, which is shipped after the commit.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import pytest

from infra.kafka.client_config import agency_topic
from infra.postgres.connection import Connection, connected
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from producers.publisher.kafka_publisher import AgencyPublisher
from tests.scenarios.figures import tell
from tests.world.events import changed, golden
from tests.world.records import LABOUR, registered, said
from tests.world.registrars import found, until_read, until_shipped, until_size
from tests.world.topics import HEALTH_TOPIC, LABOUR_TOPIC, PLATFORM_TOPIC, make_topics, records, send

pytestmark = [pytest.mark.accept, pytest.mark.alone]

EVENTS_PER_S = 100
MEASURED_S = 8.0
TIMES_MAX = 2.0
"""The aim. On an idle machine an event alone takes some milliseconds, less than one commit of a flood."""
UNREAD = "unread"
"""An agency that is not registered: nobody reads its topic."""
COSTLY_RECORDS = 200
WAIT_MAX_MS = 250
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
    async with AgencyPublisher(settings, "labour") as publisher:
        began, count = time.monotonic(), 0
        while goes_on(time.monotonic() - began):
            await asyncio.sleep(began + count / EVENTS_PER_S - time.monotonic())
            await publisher.add(said(f"{name}-{count}", agency=LABOUR))
            await publisher.push()
            count += 1
        await publisher.flush()
    return count


def write_for_nobody(settings: Settings, flood: Sequence[bytes]) -> None:
    """Write a flood into a topic that nobody reads, again and again, until this process is ended."""
    while True:
        asyncio.run(send(settings, agency_topic(UNREAD), *flood[:20_000]))


@contextmanager
def busy_processors(settings: Settings, flood: Sequence[bytes]) -> Iterator[None]:
    """Another process and Kafka are busy with the same records, which the registrar does not read."""
    writing = multiprocessing.get_context("spawn").Process(target=write_for_nobody, args=(settings, flood))
    writing.start()
    try:
        yield
        assert writing.is_alive()
    finally:
        writing.terminate()
        writing.join()


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


async def read_of(connection: Connection, topic: str) -> int:
    """How many records of a topic have a verdict."""
    query = "SELECT next_offset FROM log.read_position WHERE topic = $1"
    return await connection.fetchval(query, topic) or 0


async def until_flood_read(settings: Settings, topic: str, count: int) -> None:
    """Asks on a connection of its own: others are asked meanwhile."""
    async with connected(settings, "until-read") as connection:
        await until_read(connection, topic, count, 120)


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_of_one_agency_keeps_the_others_waiting_for_little(
    settings: Settings, connection: Connection, environment: Environment, flood: str
) -> None:
    backlog = list(FLOODS[flood])
    await found(settings, "labour")
    await make_topics(settings, "health", UNREAD)
    await send(settings, HEALTH_TOPIC, *backlog)
    async with registrars(environment, 2):
        await until_size(connection, 3)
        await asyncio.sleep(1)
        warm = await publish_steadily(settings, "warm", lambda passed_s: passed_s < 2)
        alone = await publish_steadily(settings, "alone", lambda passed_s: passed_s < MEASURED_S)
        with busy_processors(settings, backlog):
            await asyncio.sleep(2)
            busy = await publish_steadily(settings, "busy", lambda passed_s: passed_s < MEASURED_S)
        # The flood waits in the topic: it begins when its agency is registered.
        await send(settings, PLATFORM_TOPIC, registered("health"))
        await until_flood_read(settings, HEALTH_TOPIC, 1)
        began, first = time.monotonic(), await read_of(connection, HEALTH_TOPIC)
        is_over = asyncio.create_task(until_flood_read(settings, HEALTH_TOPIC, len(backlog)))
        beside = await publish_steadily(
            settings, "beside", lambda passed_s: passed_s < MEASURED_S and not is_over.done()
        )
        rate = (await read_of(connection, HEALTH_TOPIC) - first) / (time.monotonic() - began)
        is_over.cancel()
        await until_flood_read(settings, LABOUR_TOPIC, warm + alone + busy + beside)
        await until_shipped(connection, await connection.fetchval("SELECT size FROM log.state"))
        waits_alone = await waits_ms(settings, range(warm, warm + alone))
        waits_busy = await waits_ms(settings, range(warm + alone, warm + alone + busy))
        waits_beside = await waits_ms(settings, range(warm + alone + busy, warm + alone + busy + beside))
        epoch = await connection.fetchval("SELECT epoch FROM platform.lease WHERE name = 'registrar'")
    tell(
        f"flood of {flood} ({rate:,.0f}/s read): published to registered p50 {statistics.median(waits_beside):.0f} ms,"
        f" p99 {p99(waits_beside):.0f} ms of {beside}; while it is written for nobody p50"
        f" {statistics.median(waits_busy):.0f} ms, p99 {p99(waits_busy):.0f} ms; without it p50"
        f" {statistics.median(waits_alone):.0f} ms, p99 {p99(waits_alone):.0f} ms"
    )
    assert epoch == 1, "nobody took over"
    assert p99(waits_beside) <= max(TIMES_MAX * p99(waits_alone), WAIT_MAX_MS)


def costly_records() -> dict[str, bytes]:
    """Records of 60 KB of the agency `health`: lists, members, digits and escapes."""
    path = next(path for path, _ in golden() if path.name == "partnership.signed.json")
    signed = json.loads(path.read_text(encoding="utf-8"))
    contents = {
        "empty bands": ("/data/terms/bands", [{}] * 19_500),
        "services that are numbers": ("/data/services", [0] * 29_000),
        "unknown members": ("/data/terms", {f"m{n}": 0 for n in range(5_000)}),
        "unknown objects": ("/data", {f"m{n}": {} for n in range(4_000)}),
        "digits": ("/data/legal_basis/en", "1064971269 " * 5_000),
        "brackets and quotes": ("/data/legal_basis/en", '"},{' * 9_000),
        "escapes": ("/data/legal_basis/en", "\x01" * 9_000),
    }
    records_ = {}
    for name, (pointer, content) in contents.items():
        value = json.dumps(changed(signed, pointer, content), separators=(",", ":")).encode()
        assert 40_000 < len(value) <= 61_440, name
        records_[name] = value
    records_["nesting"] = b'{"data":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
    return records_


def in_binary_mode(value: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The same record with its attributes in headers."""
    event = json.loads(value)
    headers = [(f"ce_{name}", text.encode()) for name, text in event.items() if isinstance(text, str)]
    return json.dumps(event["data"], separators=(",", ":")).encode(), headers


async def test_the_costliest_records_of_one_agency_cost_no_take_over_and_nobody_waits(
    settings: Settings, connection: Connection, environment: Environment
) -> None:
    await found(settings, "health", "labour")
    costly = costly_records()
    sent = 0
    async with registrars(environment, 2):
        await until_size(connection, 4)
        await asyncio.sleep(1)
        warm = await publish_steadily(settings, "warm", lambda passed_s: passed_s < 2)

        async def write_costly() -> int:
            count = 0
            while count < COSTLY_RECORDS:
                for name, value in costly.items():
                    await send(settings, HEALTH_TOPIC, value)
                    count += 1
                    if name != "nesting":
                        data, headers = in_binary_mode(value)
                        await send(settings, HEALTH_TOPIC, data, headers=headers)
                        count += 1
            return count

        writing = asyncio.create_task(write_costly())
        beside = await publish_steadily(settings, "beside", lambda passed_s: not writing.done())
        sent = await writing
        await until_read(connection, HEALTH_TOPIC, sent, 120)
        await until_read(connection, LABOUR_TOPIC, warm + beside, 120)
        await until_shipped(connection, await connection.fetchval("SELECT size FROM log.state"))
        waits = await waits_ms(settings, range(warm, warm + beside))
        epoch = await connection.fetchval("SELECT epoch FROM platform.lease WHERE name = 'registrar'")
    refused = await connection.fetch("SELECT address, errors FROM log.refusal WHERE agency = 'health'")
    tell(
        f"{sent} of the costliest records beside {beside} events of another agency: published to registered p50"
        f" {statistics.median(waits):.0f} ms, p99 {p99(waits):.0f} ms, at most {max(waits)} ms; epoch {epoch}"
    )
    assert len(refused) == sent
    assert all(row["errors"] for row in refused)
    assert epoch == 1, "nobody took over"
    assert max(waits) <= WAIT_MAX_MS
