"""Shipping: committed entries go to the log's topic in order, and again whenever there is a doubt.

*Shipped up to* moves after the broker's acknowledgement. Repeats are harmless and holes are not, so that at start,
after a producer's error and when the topic's end is behind, everything from the last index that the topic surely holds,
less a margin, is shipped again, from PostgreSQL.

Free texts go to a topic of their own: before their entries, so that an entry in the log's topic has its texts in
theirs; a withheld text is deleted there behind the entry that withholds it, before that counts as shipped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError
from aiokafka.structs import RecordMetadata

from consumers.registrar.journal import Journal
from consumers.registrar.topics.texts_topic import Behind, TextRecord, TextsTopic, no_text, read_end, text_record
from events.wire.entry import parse_entry
from events.wire.texts import Text
from infra.kafka.clients import acknowledged, consuming, producing, send_batch
from infra.kafka.end_offsets import ends_of_existing
from infra.log.reader import leaves_of, read_segments, unchecked_entries
from infra.observability.telemetry import gauge
from infra.postgres.connection import Connection, connected
from infra.postgres.sql import queries
from infra.process.tasks import TimeSlice, until_one_ends
from infra.settings import Settings

PRODUCER_BATCH_BYTES: Final = 512 * 1024
UNACKNOWLEDGED_MAX: Final = 8
RECENT_BATCHES_MAX: Final = 16
CATCH_UP_ENTRIES: Final = 4096
CATCH_UP_BYTES: Final = 4 << 20
DELETE_AGAIN_S: Final = 6 * 3600.0
"""Between two deletions of all withheld texts from their topic."""
INDEX_HEADER: Final = "index"
LEAF_HEADER: Final = "leaf"
_SQL: Final = queries("consumers.registrar", "registrar.sql")


@dataclass(slots=True)
class Shipment:
    """Consecutive entries with their leaf hashes and keys, from `first_index` on, and the trace that they came in.

    `texts` are those of the entries; `deletions` delete what they withhold, each with the index of the entry.
    """

    first_index: int
    entries: Sequence[bytes]
    leaves: Sequence[bytes]
    keys: Sequence[bytes]
    trace: Sequence[tuple[str, bytes]] = ()
    texts: Sequence[TextRecord] = ()
    deletions: Sequence[tuple[int, TextRecord]] = ()

    @property
    def end(self) -> int:
        return self.first_index + len(self.entries)


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch on its way: the index behind its last entry, its number of records, and the broker's answer."""

    end: int
    records: int
    future: asyncio.Future[RecordMetadata]


class Shipper:
    """Ships what the journal has committed. `run` ends only by an error; the owner then starts again."""

    def __init__(self, journal: Journal, settings: Settings) -> None:
        self.journal = journal
        self.settings = settings
        self.partition = TopicPartition(settings.log_topic, 0)
        self.next_index = 0
        self.acknowledged_offset = -1
        self.wake = asyncio.Event()
        self._acknowledged = asyncio.Event()
        self._recent: dict[int, Shipment] = {}
        self._reader: Connection | None = None
        self._builder: Any = None
        self._batch_first = 0
        """The index of the first entry in the builder's batch."""
        self._time_slice = TimeSlice()
        self._texts = TextsTopic(settings)
        self._deletions: list[tuple[int, TextRecord]] = []

    def offer(self, shipment: Shipment) -> None:
        """Hand over a batch that was just committed, so that it need not be read again."""
        if len(self._recent) >= RECENT_BATCHES_MAX:
            self._recent.clear()
        self._recent[shipment.first_index] = shipment
        self.wake.set()

    async def run(self) -> None:
        """Ship until an error."""
        async with (
            connected(self.settings, "registrar shipper") as self._reader,
            producing(self.settings, max_batch_size=PRODUCER_BATCH_BYTES) as producer,
        ):
            await self.align()
            await self._send_lacking_texts(producer)
            await until_one_ends(self._ship(producer), self._delete_again(producer))

    async def all_shipped(self) -> None:
        """Wait until the topic has acknowledged every committed entry."""
        while self.journal.shipped_up_to < self.journal.size:
            self._acknowledged.clear()
            await self._acknowledged.wait()

    async def align(self) -> None:
        """Find the index from which to ship: what PostgreSQL noted, unless the topic holds less, less the margin.

        As repeats only add records, an index beyond its offset means that the topic was created again and lacks its
        beginning: all is shipped again.
        """
        last_index, self.acknowledged_offset = await read_tail(self.settings)
        start = min(self.journal.shipped_up_to, last_index + 1) - self.settings.ship_margin_entries
        self.next_index = 0 if last_index > self.acknowledged_offset else max(0, start)
        self.wake.set()

    async def _send_lacking_texts(self, producer: AIOKafkaProducer) -> None:
        """Send all texts where their topic ends before what it had acknowledged."""
        assert self._reader is not None
        self._texts.end = await read_end(self.settings)
        if self._texts.end < self.journal.texts_end:
            place: tuple[int, str] = -1, ""
            while rows := await self._reader.fetch(_SQL["texts_after"], *place, CATCH_UP_ENTRIES):
                await self._texts.send(producer, [*map(_text_record, rows)])
                place = rows[-1]["index"], rows[-1]["member"]
        self.journal.texts_end = self._texts.end

    async def _delete_again(self, producer: AIOKafkaProducer) -> None:
        """Delete all withheld texts from their topic, now and again."""
        while True:
            async with connected(self.settings, "registrar texts") as connection:
                rows = await connection.fetch(_SQL["withheld_texts"])
            await self._texts.send(producer, [no_text(*row) for row in rows])
            await asyncio.sleep(DELETE_AGAIN_S)

    async def check_end(self, consumer: AIOKafkaConsumer) -> None:
        """Raise `Behind` when a topic ends before what it had acknowledged when this was asked."""
        acknowledged = {self.partition.topic: self.acknowledged_offset, self._texts.name: self._texts.end - 1}
        ends = await ends_of_existing(consumer, acknowledged)
        for topic, offset in acknowledged.items():
            end = ends.get(topic)
            if end is None:
                raise UnknownTopicOrPartitionError(
                    f"{topic} does not exist any more: it is created again, and all is shipped"
                )
            if end <= offset:
                raise Behind(
                    f"{topic} ends at offset {end}, but {offset} was acknowledged: it is shipped again from what it "
                    "still holds"
                )

    async def _ship(self, producer: AIOKafkaProducer) -> None:
        """A batch that is not full waits while another one is on its way: the client sends one after the other, and
        an entry waits for one of them at most."""
        waiting: list[Sent] = []
        while True:
            while self.next_index < self.journal.size and len(waiting) < UNACKNOWLEDGED_MAX:
                shipment = await self._next()
                await self._texts.send(producer, shipment.texts)
                self._deletions += shipment.deletions
                waiting += await self._add(producer, shipment)
            if self._builder is not None and not waiting:
                waiting.append(await self._send(producer))
            if waiting:
                sent = waiting.pop(0)
                metadata = await acknowledged(sent.future)
                await self._texts.send(producer, [record for index, record in self._deletions if index < sent.end])
                self._deletions = [row for row in self._deletions if row[0] >= sent.end]
                self._acknowledge(sent, metadata)
            else:
                self.wake.clear()
                if self.next_index >= self.journal.size:
                    await self.wake.wait()

    def _acknowledge(self, sent: Sent, metadata: RecordMetadata) -> None:
        if metadata.offset <= self.acknowledged_offset:
            raise Behind(f"{self.settings.log_topic} counts its offsets from 0 again: it was created again")
        # What is acknowledged is the offset of the batch's first record.
        self.acknowledged_offset = metadata.offset + sent.records - 1
        self.journal.shipped_up_to = max(self.journal.shipped_up_to, sent.end)
        self.journal.texts_end = self._texts.end
        self._acknowledged.set()
        gauge("shipped_up_to", self.journal.shipped_up_to)

    async def _next(self) -> Shipment:
        shipment = self._recent.pop(self.next_index, None)
        if shipment is not None:
            return shipment
        assert self._reader is not None
        first, limit = self.next_index, min(CATCH_UP_ENTRIES, self.journal.size - self.next_index)
        segments = await read_segments(self._reader, first, limit, CATCH_UP_BYTES)
        entries = [entry for segment in segments for entry in unchecked_entries(segment, first, limit)]
        leaves = leaves_of(((segment.start, segment.leaves) for segment in segments), first, first + len(entries))
        keys, time_slice = [], TimeSlice()
        for entry in entries:
            keys.append(parse_entry(0, entry).subject.encode())
            await time_slice.checkpoint()
        rows = await self._reader.fetch(_SQL["texts_to_ship"], first, first + len(entries))
        texts = [_text_record(row) for row in rows if row["salt"] is not None]
        deletions = [(row["withheld_index"], no_text(row["index"], row["member"])) for row in rows if not row["salt"]]
        leaf_hashes = [leaves[i : i + 32] for i in range(0, len(leaves), 32)]
        return Shipment(first, entries, leaf_hashes, keys, texts=texts, deletions=deletions)

    async def _add(self, producer: AIOKafkaProducer, shipment: Shipment) -> list[Sent]:
        """Add entries to the batch that is filled; returns those that were full, and are sent."""
        sent: list[Sent] = []
        for entry, leaf, key in zip(shipment.entries, shipment.leaves, shipment.keys, strict=True):
            headers = [(INDEX_HEADER, b"%d" % self.next_index), (LEAF_HEADER, leaf.hex().encode()), *shipment.trace]
            if not self._append(producer, key, entry, headers):
                sent.append(await self._send(producer))
                self._append(producer, key, entry, headers)
            self.next_index += 1
            await self._time_slice.checkpoint()
        return sent

    def _append(
        self, producer: AIOKafkaProducer, key: bytes, entry: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> bool:
        """Add an entry to the batch; False if it is full."""
        if self._builder is None:
            self._builder, self._batch_first = producer.create_batch(), self.next_index
        return self._builder.append(key=key, value=entry, timestamp=None, headers=headers) is not None

    async def _send(self, producer: AIOKafkaProducer) -> Sent:
        builder, self._builder = self._builder, None
        builder.close()
        future = await acknowledged(send_batch(producer, builder, self.partition.topic))
        return Sent(self.next_index, self.next_index - self._batch_first, future)


def _text_record(row: Mapping[str, Any]) -> TextRecord:
    return text_record(row["index"], Text(row["member"], row["value"].encode(), row["salt"], row["sha256"]))


async def read_tail(settings: Settings) -> tuple[int, int]:
    """(log index, offset) of the last record in the log's topic; (-1, -1) when it is empty."""
    partition = TopicPartition(settings.log_topic, 0)
    async with consuming(settings) as consumer:
        end = (await ends_of_existing(consumer, [partition.topic])).get(partition.topic)
        if end is None:
            raise UnknownTopicOrPartitionError(
                f"{partition.topic} does not exist: it is made, and shipped from the start"
            )
        consumer.assign([partition])
        if end == 0:
            return -1, -1
        consumer.seek(partition, end - 1)
        async with asyncio.timeout(settings.lease_ms / 1000):
            record = await consumer.getone(partition)
        return int(dict(record.headers)[INDEX_HEADER]), record.offset
