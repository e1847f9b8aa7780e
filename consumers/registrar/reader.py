"""Reading the agencies' topics: positions from PostgreSQL, the last record verified on take-over, each halted alone.

aiokafka with `assign()` and no group: nothing rebalances, nothing is committed, no record is swallowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from consumers.registrar.batch import record_sha256
from consumers.registrar.journal import ReadPosition
from consumers.registrar.undecodable import fetch_records
from infra.kafka import client_arguments
from infra.settings import Settings

READ_BYTES_MAX: Final = 16 << 20


class TopicBroken(Exception):
    """What the registrar read from a topic is no longer there. `faults` says of each topic what happened."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(faults)
        self.faults = faults


class Reader:
    """Records of all agencies' topics in order, from where the registrar stands in each."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.consumer = AIOKafkaConsumer(
            **client_arguments(settings),
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_bytes=READ_BYTES_MAX,
            max_partition_fetch_bytes=settings.fetch_bytes_max,
            fetch_max_wait_ms=settings.poll_timeout_ms,
            metadata_max_age_ms=30_000,
        )
        self.next_offsets: dict[str, int] = {}
        self._unverified: dict[str, bytes] = {}
        self._order: list[TopicPartition] = []

    async def assign(self, positions: Mapping[str, ReadPosition]) -> None:
        """Read these topics from these positions; the record before each position is read again and compared."""
        for topic, position in positions.items():
            if topic in self.next_offsets:
                continue
            self.next_offsets[topic] = position.next_offset
            if position.last_record_sha256 is not None:
                self._unverified[topic] = position.last_record_sha256
        for topic in set(self.next_offsets) - set(positions):
            del self.next_offsets[topic]
            self._unverified.pop(topic, None)
        self._order = [TopicPartition(topic, 0) for topic in self.next_offsets]
        self.consumer.assign(self._order)
        for partition in self._order:
            self.consumer.seek(partition, self._seek_offset(partition.topic))
        await self.check_ends()

    def _seek_offset(self, topic: str) -> int:
        return self.next_offsets[topic] - (1 if topic in self._unverified else 0)

    async def check_ends(self) -> dict[str, int]:
        """The topics' end offsets; `TopicBroken` names those that end before what was read."""
        if not self._order:
            return {}
        ends = {p.topic: end for p, end in (await self.consumer.end_offsets(self._order)).items()}
        faults = {
            topic: f"it ends at offset {ends[topic]}, but {next_offset} records were read: its tail was lost, or it "
            "was created anew; restore it, or register the agency's events under a new topic"
            for topic, next_offset in self.next_offsets.items()
            if ends[topic] < next_offset
        }
        if faults:
            raise TopicBroken(faults)
        return ends

    async def read(self) -> dict[str, Sequence[Any]]:
        """The next records by topic, in a rotating order of topics so that none starves another."""
        if len(self._order) > 1:
            self._order.append(self._order.pop(0))
        try:
            found = await self._fetch()
        except OffsetOutOfRangeError as error:
            out_of_range: Mapping[TopicPartition, int] = error.args[0]
            raise TopicBroken(
                {p.topic: f"offset {offset} is no longer there" for p, offset in out_of_range.items()}
            ) from error
        result: dict[str, Sequence[Any]] = {}
        faults: dict[str, str] = {}
        for partition, records in found.items():
            topic = partition.topic
            if topic in self._unverified:
                fault = self._verify(topic, records[0])
                if fault:
                    faults[topic] = fault
                    continue
                records = records[1:]
            if records:
                result[topic] = records
                self.next_offsets[topic] = records[-1].offset + 1
        if faults:
            # What was read besides is read again after the owner started anew without these topics.
            raise TopicBroken(faults)
        return result

    async def _fetch(self) -> Mapping[TopicPartition, Sequence[Any]]:
        settings = self.settings
        try:
            found: Mapping[TopicPartition, Sequence[Any]] = await self.consumer.getmany(
                *self._order, timeout_ms=settings.poll_timeout_ms, max_records=settings.batch_records_max
            )
        except UnicodeDecodeError:
            return await self._fetch_apart()
        return found

    async def _fetch_apart(self) -> Mapping[TopicPartition, Sequence[Any]]:
        """Some topic holds a record that the client cannot decode: read topic by topic, and that one as bytes."""
        for partition in self._order:
            self.consumer.seek(partition, self._seek_offset(partition.topic))
        found: dict[TopicPartition, Sequence[Any]] = {}
        for partition in self._order:
            try:
                found |= await self.consumer.getmany(
                    partition, timeout_ms=self.settings.poll_timeout_ms, max_records=self.settings.batch_records_max
                )
            except UnicodeDecodeError:
                records = await fetch_records(
                    self.consumer, partition, self._seek_offset(partition.topic), self.settings.fetch_bytes_max
                )
                if records:
                    self.consumer.seek(partition, records[-1].offset + 1)
                    found[partition] = records
        return found

    def _verify(self, topic: str, record: Any) -> str | None:
        expected = self._unverified.pop(topic)
        offset = self.next_offsets[topic] - 1
        if record.offset == offset and record_sha256(record) == expected:
            return None
        return (
            f"the record at offset {offset} is not the one that was read (its tail was lost, or it was created anew); "
            "restore it, or register the agency's events under a new topic"
        )
