"""A producer of several topics, as the relay and the gateway have one."""

from __future__ import annotations

import uuid

from aiokafka import AIOKafkaProducer

from infra.kafka.admin import admin_client, ensure_topic
from infra.kafka.client_config import PRODUCER_DURABLE, client_arguments
from infra.kafka.clients import abort_producer, send_batch, start_client
from infra.principals import SUPERUSER
from infra.settings import Settings


async def test_a_new_topic_does_not_hide_another_one_from_the_client(settings: Settings) -> None:
    old, new = (f"test.{name}.{uuid.uuid4().hex}" for name in ("old", "new"))
    async with admin_client(settings.acting_as(SUPERUSER)) as admin:
        await ensure_topic(admin, old, {})
        producer = AIOKafkaProducer(**client_arguments(settings.acting_as(SUPERUSER)), **PRODUCER_DURABLE)
        try:
            await start_client(producer)
            await producer.client.force_metadata_update()
            assert old in producer.client.cluster.topics(), "known from an answer about all topics"
            await send(producer, old)
            await ensure_topic(admin, new, {})
            await send(producer, new)
            assert {old, new} <= producer.client.cluster.topics()
        finally:
            await abort_producer(producer)


async def send(producer: AIOKafkaProducer, topic: str) -> None:
    batch = producer.create_batch()
    batch.append(key=None, value=b"{}", timestamp=None)
    assert (await (await send_batch(producer, batch, topic))).offset == 0
