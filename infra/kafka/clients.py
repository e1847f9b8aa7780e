"""What the Kafka client library lacks: whether a topic exists, and starting and stopping clients safely."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import UnknownTopicOrPartitionError
from aiokafka.protocol.metadata import MetadataRequest

STOP_TIMEOUT_S: Final = 3.0


class NotStarted(ConnectionError):
    """A client library cancelled its own start without a reason: try again."""


async def absent_topics(client: AIOKafkaClient, topics: Iterable[str]) -> set[str]:
    """Which of these topics do not exist. The client would wait for them and log it thousands of times."""
    names = list(topics)
    if not names:
        return set()
    response = await client.send(client.get_random_node(), MetadataRequest(names))
    return {name for error, name, *_ in response.topics if error == UnknownTopicOrPartitionError.errno}


async def start_error(starting: Coroutine[Any, Any, object], timeout_s: float) -> Exception | None:
    """Run a client's `start`; returns its error, or None.

    It runs in its own task: on a lost connection the library may cancel its own work, or lose the cancellation of a
    timeout. In the caller the first would look like a cancellation from outside, and the second would never end.
    """
    # Any error is a failed try. For a moment after a reset the library takes the connection for open, and uvloop raises
    # RuntimeError ("the handler is closed") where the library expects OSError.
    task = asyncio.ensure_future(starting)
    try:
        await asyncio.wait([task], timeout=timeout_s)
    finally:
        task.cancel()
    if not task.done():
        return TimeoutError()
    if task.cancelled():
        return NotStarted(NotStarted.__doc__)
    error = task.exception()
    if error is not None and not isinstance(error, Exception):
        raise error
    return error


async def stop_safely(stopping: Coroutine[Any, Any, object]) -> bool:
    """Run a client's `stop`; returns whether it completed.

    When Kafka has just become unavailable, `stop` raises the cancellation of a task that it cancelled itself. In the
    caller that would look like a cancellation from outside and end the process.
    """
    task = asyncio.ensure_future(stopping)
    try:
        await asyncio.wait([task], timeout=STOP_TIMEOUT_S)
    finally:
        task.cancel()
    return task.done() and not task.cancelled() and task.exception() is None


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer in any state, without an error."""
    if not await stop_safely(consumer.stop()):
        await _close(consumer._client)


async def abort_producer(producer: AIOKafkaProducer) -> None:
    """Stop a producer at once in any state, without an error.

    Unacknowledged records have an unknown outcome. The producer's `stop` would wait for them as long as Kafka is not
    available.
    """
    producer._closed = True
    if producer._sender is not None:
        await stop_safely(producer._sender.close())
    await _close(producer.client)


async def _close(client: AIOKafkaClient) -> None:
    """Close a client's connections. Its `close` raises the error of its metadata task and leaves them open."""
    if not await stop_safely(client.close()):
        for connection in [*client._conns.values()]:
            connection.close()
