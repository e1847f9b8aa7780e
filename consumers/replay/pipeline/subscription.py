"""Reads the log's topic: raw records in batches, from a position on.

No group and no committed offsets: the positions in PostgreSQL are the only ones. Why aiokafka and not FastStream:
`docs/decisions/faststream-for-single-messages.md`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiokafka import ConsumerRecord, TopicPartition

from infra.kafka.clients import consuming
from infra.process.pace import Pace
from infra.settings import Settings

Handle = Callable[[Sequence[ConsumerRecord]], Awaitable[None]]
Position = Callable[[], Awaitable[int | None]]


async def receive(settings: Settings, position: Position, handle: Handle) -> None:
    """Hand records over until an error of `handle` or of the connection, which is raised.

    `position` is asked before each poll; an index that it returns is where the reading continues.
    """
    partition = TopicPartition(settings.log_topic, 0)
    pace = Pace(settings.pace_ms)
    options = {"auto_offset_reset": "earliest", "max_partition_fetch_bytes": settings.fetch_bytes_max}
    async with consuming(settings, **options) as consumer:
        consumer.assign([partition])
        while True:
            index = await position()
            if index is not None:
                # The record of index n has offset n or a later one, since only repeats are added.
                end = (await consumer.end_offsets([partition]))[partition]
                consumer.seek(partition, min(index, end))
            fetched = await consumer.getmany(
                timeout_ms=settings.poll_timeout_ms, max_records=settings.batch_records_max
            )
            for records in fetched.values():
                is_small = pace.begin(record.value for record in records)
                if is_small:
                    # At once: the client's next fetch would bring the next record alone.
                    consumer.pause(partition)
                await handle(records)
                if is_small:
                    await pace.end()
                    consumer.resume(partition)
