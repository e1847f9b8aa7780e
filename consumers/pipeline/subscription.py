"""Reads the log's topic: raw records in batches, from the consumer's position on.

No group and no committed offsets: the position in PostgreSQL is the only one. Why aiokafka and not FastStream:
`docs/decisions/faststream-for-single-messages.md`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from infra.kafka.client_config import client_arguments
from infra.kafka.clients import start_client, stop_consumer
from infra.settings import Settings

Handle = Callable[[Sequence[ConsumerRecord]], Awaitable[None]]
Position = Callable[[], int]


async def receive(settings: Settings, position: Position, handle: Handle, started: Callable[[], None]) -> None:
    """Hand records over until an error of `handle` or of the connection, which is raised."""
    partition = TopicPartition(settings.log_topic, 0)
    consumer = AIOKafkaConsumer(
        **client_arguments(settings),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=settings.fetch_bytes_max,
    )
    try:
        await start_client(consumer)
        consumer.assign([partition])
        # The record of index n stands at offset n or later, since only repeats are added: reading from n misses none.
        end = (await consumer.end_offsets([partition]))[partition]
        consumer.seek(partition, min(position(), end))
        started()
        while True:
            found = await consumer.getmany(timeout_ms=settings.poll_timeout_ms, max_records=settings.batch_records_max)
            for records in found.values():
                await handle(records)
    finally:
        await stop_consumer(consumer)
