"""The sources of a recovery: the log's topic, or any other ordered source of entries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from consumers.registrar.shipper import INDEX_HEADER
from events.errors import YesserError
from infra.kafka.client_config import client_arguments
from infra.kafka.clients import start_client, stop_consumer
from infra.kafka.end_offsets import ends_of_existing
from infra.settings import Settings

CHUNK_ENTRIES: Final = 4096

Source = Callable[[int], AsyncIterator[bytes]]
"""The entries from an index on, in order, as far as the source has them."""


class CannotRecover(YesserError):
    """The log cannot be recovered from this source, or not now; the message says how far it was."""


def topic_source(settings: Settings) -> Source:
    """Entries from the log's topic. Repeats only add records, so entry i is never before offset i."""

    async def entries(first: int) -> AsyncIterator[bytes]:
        partition = TopicPartition(settings.log_topic, 0)
        consumer = AIOKafkaConsumer(**client_arguments(settings), enable_auto_commit=False, auto_offset_reset="none")
        try:
            await start_client(consumer)
            end = (await ends_of_existing(consumer, [partition.topic])).get(partition.topic, 0)
            if end <= first:
                return
            consumer.assign([partition])
            consumer.seek(partition, first)
            expected = first
            while await consumer.position(partition) < end:
                found = await consumer.getmany(partition, timeout_ms=1000, max_records=CHUNK_ENTRIES)
                for record in found.get(partition, []):
                    index = int(dict(record.headers)[INDEX_HEADER])
                    if index > expected:
                        raise CannotRecover(
                            f"{settings.log_topic} lacks index {expected} (offset {record.offset} holds {index}): "
                            "nothing was written; try `--from MIRROR`"
                        )
                    if index == expected:
                        expected += 1
                        yield record.value
        finally:
            await stop_consumer(consumer)

    return entries


async def chunks(source: Source, first: int) -> AsyncIterator[list[bytes]]:
    """The entries of a source from an index on, in chunks of `CHUNK_ENTRIES`."""
    chunk: list[bytes] = []
    async for raw in source(first):
        chunk.append(raw)
        if len(chunk) == CHUNK_ENTRIES:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
