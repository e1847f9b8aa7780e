"""The topic `yesser.checkpoints`: the newest signed checkpoint, where a standby on another machine can read it.

It is compacted (key: the log's origin), so that its last records are enough. Kafka cannot fence a producer that holds a
superseded lease without transactions: the last record may be a late one of a former owner. So readers compare all
records that are left, and the owner writes the newest checkpoint again after any record that is not its own
(docs/decisions/two-places-outside-the-database.md).

Flows in: signed notes. Flows out: the values that others wrote, and the time at which Kafka appended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError

from consumers.registrar.raw_record_reader import CorruptBatch, fetch_records
from events.errors import Retry
from infra.kafka.clients import acknowledged, consuming
from infra.kafka.end_offsets import ends_of_existing
from infra.settings import Settings

FETCH_BYTES_MAX: Final = 1 << 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOG_APPEND_TIME: Final = 1


class CheckpointsLost(Retry):
    """The topic of checkpoints ends before what was read of it: it was created again."""


class CheckpointTopic:
    """Reads and writes the topic for one owner, or only reads it. `read_up_to` is the offset behind all records that it
    knows."""

    def __init__(
        self, settings: Settings, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer | None = None
    ) -> None:
        self.partition = TopicPartition(settings.checkpoints_topic, 0)
        self.read_up_to: int | None = None
        self._consumer = consumer
        self._producer = producer

    async def read(self) -> list[bytes]:
        """The values of all records since the last reading that this owner did not write; the first time, of all.

        Raises `UnknownTopicOrPartitionError` where the topic does not exist, and `CheckpointsLost`.
        """
        topic = self.partition.topic
        end = (await ends_of_existing(self._consumer, [topic])).get(topic)
        if end is None:
            raise UnknownTopicOrPartitionError(f"{topic} does not exist: it is created")
        if self.read_up_to is None:
            self.read_up_to = (await self._consumer.beginning_offsets([self.partition]))[self.partition]
        if end < self.read_up_to:
            raise CheckpointsLost(
                f"{topic} ends at offset {end}, but {self.read_up_to} was read: it was created again, and the newest"
                " checkpoint is written to it"
            )
        return await self._read_to(end)

    async def _read_to(self, end: int) -> list[bytes]:
        values: list[bytes] = []
        assert self.read_up_to is not None
        while self.read_up_to < end:
            try:
                records = await fetch_records(self._consumer, self.partition, self.read_up_to, FETCH_BYTES_MAX)
            except CorruptBatch as error:
                raise CorruptBatch(f"{self.partition.topic}: {error}; see docs/runbook.md") from error
            values += [record.value or b"" for record in records]
            self.read_up_to = records[-1].offset + 1 if records else end
        return values

    async def write(self, origin: str, note: str) -> datetime | None:
        """Write a signed checkpoint; returns when Kafka appended it (None where it does not stamp its own time)."""
        assert self._producer is not None
        topic, partition = self.partition
        sending = self._producer.send(topic, note.encode(), origin.encode(), partition=partition)
        metadata = await acknowledged(await acknowledged(sending))
        offset: int = metadata.offset
        if offset == self.read_up_to:
            self.read_up_to = offset + 1
        if metadata.timestamp_type != _LOG_APPEND_TIME:
            return None
        return _EPOCH + timedelta(milliseconds=metadata.timestamp)


async def read_topic_checkpoints(settings: Settings) -> Sequence[bytes]:
    """All values of the topic; none where it does not exist."""
    async with consuming(settings) as consumer:
        try:
            return await CheckpointTopic(settings, consumer).read()
        except UnknownTopicOrPartitionError:
            return []
