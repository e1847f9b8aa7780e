"""What the Kafka client library lacks: asking whether a topic exists, and letting clients go without a surprise."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from aiokafka.protocol.metadata import MetadataRequest

LET_GO_TIMEOUT_S: Final = 2.0
STOP_TIMEOUT_S: Final = 3.0


async def absent_topics(client: AIOKafkaClient, topics: Iterable[str]) -> set[str]:
    """Which of these topics do not exist. The client itself would wait for them, and say so thousands of times."""
    names = list(topics)
    if not names:
        return set()
    response = await client.send(client.get_random_node(), MetadataRequest(names))
    return {name for error, name, *_ in response.topics if error == UnknownTopicOrPartitionError.errno}


async def came_to_its_end(stopping: Coroutine[Any, Any, object]) -> bool:
    """Run a client's own `stop`; whether it did all that it does.

    When Kafka has just gone away it raises the cancellation of a task that it cancelled itself. In the caller that
    would look like a cancellation from outside and end the process.
    """
    task = asyncio.ensure_future(stopping)
    try:
        await asyncio.wait([task], timeout=STOP_TIMEOUT_S)
    finally:
        task.cancel()
    return task.done() and not task.cancelled() and task.exception() is None


async def let_consumer_go(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer, whatever state it and Kafka are in."""
    if not await came_to_its_end(consumer.stop()):
        await came_to_its_end(consumer._client.close())


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
