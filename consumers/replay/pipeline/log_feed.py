"""The log's topic, read and parsed once for all consumers of a process.

Flows in: records of the topic. Flows out: batches of parsed entries with their hashes, to the buffer of each
subscriber. A subscriber that takes nothing for `WAIT_S` loses its subscription, so that it does not delay the others;
it catches up from PostgreSQL and subscribes again.

Reads the log's topic: raw records in batches, from a position on.

No group and no committed offsets: the positions in PostgreSQL are the only ones. Why aiokafka and not FastStream:
`docs/decisions/faststream-for-single-messages.md`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Final

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from consumers.replay.pipeline.batch import BatchBuffer, LeafMismatch, Unsubscribed, parse_records
from infra.kafka.clients import consuming
from infra.observability.logs import LogOnce
from infra.observability.telemetry import carried_traces
from infra.postgres.connection import TRANSIENT_ERRORS
from infra.process.pace import Pace
from infra.settings import Settings

Handle = Callable[[Sequence[ConsumerRecord]], Awaitable[None]]
Position = Callable[[], Awaitable[int | None]]
PORTION_RECORDS: Final = 512
"""Records parsed before control returns to the loop: a few milliseconds."""
PORTION_BYTES: Final = 256 << 10
"""The same for large records."""
WAIT_S: Final = 1.0
"""Longest wait for a subscriber that has two whole transactions to apply."""


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


class LogFeed:
    """Reads while it has subscribers. `run` is a task of the process, or of the term of its only consumer."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._buffers: list[BatchBuffer] = []
        self._next_index = 0
        self._seek = False
        self._subscribed = asyncio.Event()
        self._kafka = LogOnce("Kafka is away: the log is read from PostgreSQL", "Kafka answers again")

    def next_index(self) -> int | None:
        """The index that the subscribers get next; None without subscribers."""
        return self._next_index if self._buffers else None

    def subscribe(self, buffer: BatchBuffer, position: int) -> int:
        """Returns the index from which on `buffer` gets the entries; it is `position` for the first subscriber.

        Subscribers that are more than a transaction behind `position` lose their subscription.
        """
        if not self._buffers or position > self._next_index + self.settings.batch_records_max:
            for other in list(self._buffers):
                self._drop(other)
            self._next_index, self._seek = position, True
        self._buffers.append(buffer)
        self._subscribed.set()
        return self._next_index

    def unsubscribe(self, buffer: BatchBuffer) -> None:
        """No effect without a subscription."""
        if buffer in self._buffers:
            self._buffers.remove(buffer)
        if not self._buffers:
            self._subscribed.clear()

    def _drop(self, buffer: BatchBuffer, reason: Exception | None = None) -> None:
        self.unsubscribe(buffer)
        buffer.fail(reason or Unsubscribed())

    async def run(self) -> None:
        """Until cancelled. While Kafka is away, the subscribers read the log from PostgreSQL."""
        while True:
            await self._subscribed.wait()
            self._seek = True
            try:
                await receive(self.settings, self._position, self._take)
            except (*TRANSIENT_ERRORS, KafkaError) as error:
                self._kafka.begins(error)
            except LeafMismatch as error:
                for buffer in list(self._buffers):
                    self._drop(buffer, error)
            await asyncio.sleep(self.settings.retry_wait_max_ms / 1000)

    async def _position(self) -> int | None:
        """Where the reader must seek, if anywhere; waits while there are no subscribers."""
        self._kafka.ends()
        await self._subscribed.wait()
        if not self._seek:
            return None
        self._seek = False
        return self._next_index

    async def _take(self, records: Sequence[ConsumerRecord]) -> None:
        traces = carried_traces((record.headers, None) for record in records)
        with ExitStack() as growing:
            for buffer in self._buffers:
                growing.enter_context(buffer.growing())
            for portion in portions(records):
                if self._seek:
                    return
                for batch in parse_records(portion):
                    batch.traces = traces
                    self._next_index = max(self._next_index, batch.end)
                    for buffer in list(self._buffers):
                        if not await buffer.put(batch, WAIT_S):
                            self._drop(buffer)
                await asyncio.sleep(0)
        for buffer in list(self._buffers):
            if not await buffer.room(WAIT_S):
                self._drop(buffer)


def portions(records: Sequence[ConsumerRecord]) -> Iterator[Sequence[ConsumerRecord]]:
    """`records` in parts of at most `PORTION_RECORDS`, each of which begins within `PORTION_BYTES` of its first."""
    start = size = 0
    for number, record in enumerate(records):
        if number - start == PORTION_RECORDS or size > PORTION_BYTES:
            yield records[start:number]
            start, size = number, 0
        size += len(record.value or b"")
    if start < len(records):
        yield records[start:]
