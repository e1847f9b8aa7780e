"""What the Kafka client library lacks: asking whether a topic exists, and letting a producer go at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from aiokafka.protocol.metadata import MetadataRequest

LET_GO_TIMEOUT_S: Final = 2.0


async def absent_topics(client: AIOKafkaClient, topics: Iterable[str]) -> set[str]:
    """Which of these topics do not exist. The client itself would wait for them, and say so thousands of times."""
    names = list(topics)
    if not names:
        return set()
    response = await client.send(client.get_random_node(), MetadataRequest(names))
    return {name for error, name, *_ in response.topics if error == UnknownTopicOrPartitionError.errno}


async def let_go(producer: AIOKafkaProducer) -> None:
    """End a producer at once; whatever it has not had acknowledged has an unknown outcome.

    Its own `stop` waits first for what it has not delivered, which would be for ever while Kafka is away.
    """
    producer._closed = True
    if producer._sender is not None and producer._sender.sender_task is not None:
        with suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(LET_GO_TIMEOUT_S):
                await producer._sender.close()
    await producer.client.close()
