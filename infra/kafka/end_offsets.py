"""End offsets of Kafka topics of one partition: the offset of the next record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from infra.kafka.clients import absent_topics, consuming, raw_client
from infra.settings import Settings

EndOffsets = Callable[[Sequence[str]], Awaitable[dict[str, int]]]
ANSWER_TIMEOUT_S: Final = 5.0


async def ends_of_existing(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> dict[str, int]:
    """The end offsets of those of these topics that exist.

    The client would wait for a topic that is deleted during the request: then the request is repeated.
    """
    names = set(topics)
    while names := names - await absent_topics(raw_client(consumer), names):
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await _ends(consumer, names)
        except TimeoutError:
            if not await absent_topics(raw_client(consumer), names):
                raise
    return {}


async def _ends(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> dict[str, int]:
    ends = await consumer.end_offsets(known_to(consumer, topics))
    return {partition.topic: end for partition, end in ends.items()}


def known_to(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> list[TopicPartition]:
    """The partitions of these topics, for a request. The client first asks for the leaders of those that it was not
    given before; else it would fail, wait for 0.1 s and try again."""
    partitions = [TopicPartition(topic, 0) for topic in topics]
    for partition in partitions:
        raw_client(consumer).add_topic(partition.topic)
    return partitions


async def first_offset(settings: Settings, topic: str) -> int | None:
    """The offset at which the topic begins; None if it does not exist."""
    async with consuming(settings) as consumer:
        if await absent_topics(raw_client(consumer), [topic]):
            return None
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            (partition,) = known_to(consumer, [topic])
            first: int = (await consumer.beginning_offsets([partition]))[partition]
            return first


@asynccontextmanager
async def end_offsets_reader(settings: Settings) -> AsyncIterator[EndOffsets]:
    """A function that reads end offsets from the brokers. It needs the rights of the platform's user, and raises
    `TopicAuthorizationFailedError` without them."""
    async with consuming(settings) as consumer:

        async def end_offsets(topics: Sequence[str]) -> dict[str, int]:
            await absent_topics(raw_client(consumer), topics)
            return await _ends(consumer, topics)

        yield end_offsets
