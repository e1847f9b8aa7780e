"""Where Kafka topics of one partition end: the offset that the next record will get."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from infra.kafka import client_arguments
from infra.kafka_clients import let_consumer_go
from infra.settings import Settings

EndOffsets = Callable[[Sequence[str]], Awaitable[dict[str, int]]]


@asynccontextmanager
async def end_offsets_reader(settings: Settings) -> AsyncIterator[EndOffsets]:
    """A function that asks the brokers for end offsets. It needs the rights of the platform's own user."""
    consumer = AIOKafkaConsumer(**client_arguments(settings), enable_auto_commit=False)

    async def read(topics: Sequence[str]) -> dict[str, int]:
        ends = await consumer.end_offsets([TopicPartition(topic, 0) for topic in topics])
        return {partition.topic: end for partition, end in ends.items()}

    try:
        await consumer.start()
        yield read
    finally:
        await let_consumer_go(consumer)
