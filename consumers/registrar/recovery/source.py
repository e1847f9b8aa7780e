"""The sources of a recovery: the log's topic, any other ordered source of entries, and several together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from consumers.registrar.shipper import INDEX_HEADER
from events.errors import YesserError
from infra.kafka.clients import consuming
from infra.kafka.end_offsets import ends_of_existing
from infra.settings import Settings

CHUNK_ENTRIES: Final = 4096

Source = Callable[[int], AsyncIterator[bytes]]
"""The entries from an index on, in order, up to the first that the source does not have."""


class CannotRecover(YesserError):
    """The log cannot be recovered from these sources, or not now; the message says how far it was."""


class WrongEntries(CannotRecover):
    """The entries of the sources do not give the signed root: one of them holds others than were signed."""


def together(sources: Sequence[Source]) -> Source:
    """One source of several: each entry comes from the first that has it."""

    async def entries(first: int) -> AsyncIterator[bytes]:
        reached = -1
        while reached < first:  # one source may go on where another has a hole
            reached = first
            for source in sources:
                async for raw in source(first):
                    first += 1
                    yield raw

    return entries


def topic_source(settings: Settings) -> Source:
    """Entries from the log's topic. Repeats only add records, so entry i is never before offset i.

    Only in a topic that was created again, and filled from a later entry on, it may be.
    """

    async def entries(first: int) -> AsyncIterator[bytes]:
        partition = TopicPartition(settings.log_topic, 0)
        async with consuming(settings) as consumer:
            end = (await ends_of_existing(consumer, [partition.topic])).get(partition.topic, 0)
            if not end:
                return
            consumer.assign([partition])
            begin = (await consumer.beginning_offsets([partition]))[partition]
            offset, expected = max(begin, first), first
            if begin < end and await _index_at(consumer, partition, begin) > begin:
                offset = begin
            consumer.seek(partition, offset)
            while await consumer.position(partition) < end:
                fetched = await consumer.getmany(partition, timeout_ms=1000, max_records=CHUNK_ENTRIES)
                for record in fetched.get(partition, []):
                    index = _index_of(record)
                    if index > expected:
                        return
                    if index == expected:
                        expected += 1
                        yield record.value

    return entries


async def _index_at(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> int:
    consumer.seek(partition, offset)
    return _index_of(await consumer.getone(partition))


def _index_of(record: ConsumerRecord) -> int:
    return int(dict(record.headers)[INDEX_HEADER])


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
