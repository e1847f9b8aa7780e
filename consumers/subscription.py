"""The FastStream subscriber on the log's topic: raw records in batches, from the consumer's position on.

No group and no committed offsets: the position in PostgreSQL is the only one. The handler catches everything itself,
since FastStream swallows what a handler raises.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from aiokafka import ConsumerRecord, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka import TopicPartition as SubscribedPartition
from faststream.kafka.message import FAKE_CONSUMER
from faststream.security import SASLScram512

from infra.kafka import client_arguments
from infra.kafka_clients import came_to_its_end
from infra.settings import Settings

BATCH_TIMEOUT_MS: Final = 20
GRACEFUL_STOP_S: Final = 1.0

Handle = Callable[[Sequence[ConsumerRecord]], Awaitable[None]]
Position = Callable[[], int]


async def receive(settings: Settings, position: Position, handle: Handle, started: Callable[[], None]) -> None:
    """Hand records over until an error of `handle` or of the connection, which is raised."""
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    broker = _broker(settings)
    _subscribe(broker, settings, position, handle, failed)
    try:
        await broker.start()
        started()
        await failed
    finally:
        failed.cancel()
        await came_to_its_end(broker.stop())


def _broker(settings: Settings) -> KafkaBroker:
    arguments = client_arguments(settings)
    security = None
    if "sasl_plain_username" in arguments:
        security = SASLScram512(
            arguments["sasl_plain_username"],
            arguments["sasl_plain_password"],
            ssl_context=arguments.get("ssl_context"),
            use_ssl="ssl_context" in arguments,
        )
    return KafkaBroker(
        arguments["bootstrap_servers"],
        security=security,
        logger=None,
        graceful_timeout=GRACEFUL_STOP_S,
        allow_auto_create_topics=False,
        consumer_only=True,
    )


def _subscribe(
    broker: KafkaBroker, settings: Settings, position: Position, handle: Handle, failed: asyncio.Future[None]
) -> None:
    partition = TopicPartition(settings.log_topic, 0)
    subscriber = broker.subscriber(
        partitions=[SubscribedPartition(partition.topic, partition=partition.partition, declare=False)],
        batch=True,
        max_records=settings.batch_records_max,
        batch_timeout_ms=BATCH_TIMEOUT_MS,
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=settings.fetch_bytes_max,
        parser=_raw_message,
        decoder=_no_decoding,
    )
    sought = False

    @subscriber
    async def receive_batch(message: KafkaMessage) -> None:
        nonlocal sought
        if failed.done():
            return
        try:
            if not sought and position() > 0:
                # A repeat only adds records: the record of an index stands also at or behind the offset of that number.
                await _seek(subscriber.consumer, partition, position())
            else:
                await handle(message.raw_message)
            sought = True
        except Exception as error:
            if not failed.done():
                failed.set_exception(error)


async def _raw_message(records: Any) -> KafkaMessage:
    """FastStream's own parser decodes every header of every record; here nothing is decoded and nothing can fail."""
    return KafkaMessage(body=b"", raw_message=records, consumer=FAKE_CONSUMER)


async def _no_decoding(_: Any) -> None:
    return None


async def _seek(consumer: Any, partition: TopicPartition, position: int) -> None:
    end = (await consumer.end_offsets([partition]))[partition]
    consumer.seek(partition, min(position, end))
