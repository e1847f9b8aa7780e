"""Topics in the real Kafka: made, written, read and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import ConsumerRecord, TopicPartition

from events.wire.codec import STRUCTURED_HEADERS
from infra.kafka.admin import admin_client, delete_topics, ensure_agency_topic, ensure_log_topics
from infra.kafka.client_config import agency_topic
from infra.kafka.clients import consuming, producing
from infra.principals import SUPERUSER
from infra.settings import Settings
from tests.world.servers import connections
from tests.world.waits import until

PLATFORM_TOPIC = agency_topic("platform")
HEALTH_TOPIC = agency_topic("health")
LABOUR_TOPIC = agency_topic("labour")


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
    async with producing(settings.acting_as(SUPERUSER)) as producer:
        sent = [await producer.send(topic, content, b"key", partition=0, headers=list(headers)) for content in contents]
        await asyncio.gather(*sent)


async def records(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """Everything that is in a topic now."""
    async with consuming(settings.acting_as(SUPERUSER), auto_offset_reset="earliest") as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        read: list[ConsumerRecord] = []
        while len(read) < end:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                read += batch
        return read


@asynccontextmanager
async def silent_kafka(settings: Settings) -> AsyncIterator[Settings]:
    """Settings whose Kafka takes connections and never answers."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with connections(swallow) as port:
        yield settings.model_copy(update={"kafka": f"127.0.0.1:{port}"})
