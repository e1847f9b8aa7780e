"""Registrars at work in this process, agencies' topics to write into, and the log to look at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from consumers.registrar.registrar import Registrar
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.entry import Entry, parse_entry
from infra.kafka.admin import admin_client, delete_topics, ensure_agency_topic, ensure_log_topics
from infra.kafka.client_config import PRODUCER_DURABLE, agency_topic, client_arguments
from infra.log.reader import log_size, read_entries
from infra.postgres.connection import Connection, connect
from infra.principals import SUPERUSER
from infra.settings import Settings
from tests.world.records import registered

PATIENCE_S = 30.0
PLATFORM_TOPIC = agency_topic("platform")
HEALTH_TOPIC = agency_topic("health")
LABOUR_TOPIC = agency_topic("labour")


class Process(Protocol):
    """What runs until it is stopped."""

    async def run(self, stop: asyncio.Event) -> None: ...


def registrar(settings: Settings) -> Registrar:
    return Registrar(settings, lambda: datetime.now(UTC))


@asynccontextmanager
async def running(*processes: Process) -> AsyncIterator[list[asyncio.Event]]:
    """The processes at work; the events stop one each."""
    stops = [asyncio.Event() for _ in processes]
    tasks = [asyncio.create_task(_run(process, stop)) for process, stop in zip(processes, stops, strict=True)]
    try:
        yield stops
    finally:
        for stop in stops:
            stop.set()
        await asyncio.gather(*tasks)


async def _run(process: Process, stop: asyncio.Event) -> None:
    """An exit of the process fails the test, and not the event loop."""
    try:
        await process.run(stop)
    except SystemExit as ended:
        raise AssertionError(f"the process ended with exit code {ended.code}") from ended


async def until(
    holds: Callable[[], Awaitable[bool]], what: str, patience_s: float = PATIENCE_S, *, every_s: float = 0.02
) -> None:
    """Wait until `holds` says so, asking it again every so often; fails with `what` was waited for."""
    deadline = asyncio.get_running_loop().time() + patience_s
    while not await holds():
        assert asyncio.get_running_loop().time() < deadline, f"after {patience_s} s still not: {what}"
        await asyncio.sleep(every_s)


async def intervals(length_ms: int, count: int = 3) -> None:
    """Wait for some intervals of a process: what it must not do, it would do in them."""
    await asyncio.sleep(count * length_ms / 1000)


async def until_size(connection: Connection, size: int) -> None:
    async def reached() -> bool:
        return await log_size(connection) >= size

    await until(reached, f"the log has {size} entries")
    assert await log_size(connection) == size


async def until_shipped(connection: Connection, size: int) -> None:
    async def reached() -> bool:
        shipped: int = await connection.fetchval("SELECT shipped_up_to FROM log.state")
        return shipped >= size

    await until(reached, f"{size} entries are shipped")


async def make_topics(settings: Settings, *codes: str) -> None:
    """The log's topics, the platform's and those of the agencies."""
    async with admin_client(settings) as admin:
        await ensure_log_topics(admin, settings)
        for code in codes:
            await ensure_agency_topic(admin, code, settings)


async def remake_topic(settings: Settings, code: str) -> None:
    """Delete an agency's topic and create it anew, empty."""
    await drop_topic(settings, agency_topic(code))
    await make_topics(settings, code)


async def drop_topic(settings: Settings, topic: str) -> None:
    async with admin_client(settings) as admin:
        await delete_topics(admin, [topic])

        async def gone() -> bool:
            return topic not in await admin.list_topics()

        await until(gone, f"{topic} is deleted")


async def send(
    settings: Settings,
    topic: str,
    *contents: bytes | None,
    headers: Sequence[tuple[str, bytes]] = tuple(STRUCTURED_HEADERS),
) -> None:
    """Write records into a topic, in order; all are acknowledged when this returns."""
    # The superuser stands in for each agency, and for the platform.
    producer = AIOKafkaProducer(**client_arguments(settings.acting_as(SUPERUSER)), **PRODUCER_DURABLE)
    await producer.start()
    try:
        sent = [await producer.send(topic, content, b"key", partition=0, headers=list(headers)) for content in contents]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def found(settings: Settings, *codes: str) -> None:
    """The first two entries, and the registration of agencies, as claims of the platform."""
    await make_topics(settings, *codes)
    announced = [registered("platform", "platform"), registered("yesser", "office"), *map(registered, codes)]
    await send(settings, PLATFORM_TOPIC, *announced)


async def log_of(connection: Connection) -> list[Entry]:
    """All entries, parsed."""
    raw = await read_entries(connection, 0, await log_size(connection))
    return [parse_entry(i, entry) for i, entry in enumerate(raw)]


async def records(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """Everything that is in a topic now."""
    arguments = client_arguments(settings.acting_as(SUPERUSER))
    consumer = AIOKafkaConsumer(**arguments, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        read: list[ConsumerRecord] = []
        while len(read) < end:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                read += batch
        return read
    finally:
        await consumer.stop()


async def shipped(settings: Settings) -> dict[int, set[bytes]]:
    """Index → the different values that the log's topic holds for it."""
    values: dict[int, set[bytes]] = {}
    for record in await records(settings, settings.log_topic):
        values.setdefault(int(dict(record.headers)["index"]), set()).add(record.value)
    return values


async def terminate(settings: Settings, application: str) -> int:
    """End the database sessions of a process, as a failing network or an administrator would; how many they were."""
    connection = await connect(settings, "terminator")
    try:
        ended: int = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name LIKE 'yesser ' || $1 AND datname = current_database()",
            application,
        )
    finally:
        await connection.close()
    return ended


@asynccontextmanager
async def silent_kafka(settings: Settings) -> AsyncIterator[Settings]:
    """Settings whose Kafka takes connections and never answers."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield settings.model_copy(update={"kafka": f"127.0.0.1:{port}"})
