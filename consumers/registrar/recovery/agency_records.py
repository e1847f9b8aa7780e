"""Reads what agencies' topics still hold of the offsets in a recovery. Missing records are not an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from consumers.registrar.batch import Record
from consumers.registrar.raw_record_reader import NOT_DECODED, CorruptBatch, fetch_records
from consumers.registrar.recovery.restored import Held
from events.validation.validate import validate
from events.validation.verdicts import Agency
from infra.kafka.client_config import client_arguments
from infra.kafka.clients import start_client, stop_consumer
from infra.kafka.end_offsets import ends_of_existing
from infra.process.tasks import TimeSlice
from infra.settings import Settings

FETCH_RECORDS_MAX: Final = 4096
STEP_RECORDS: Final = 2_048
"""Records of a stretch without entries that are recovered at once: one may have 128 KiB."""
STALLED_AFTER_S: Final = 60.0
"""A topic that gives nothing for this long is not read further: longer than a broker takes to start again."""

log = structlog.get_logger()


class AgencyRecords:
    """Records of agency topics by offset range; records fetched beyond the range are kept for the next one."""

    def __init__(self, consumer: AIOKafkaConsumer, bytes_max: int) -> None:
        self._consumer = consumer
        self._bytes_max = bytes_max
        self._reach: dict[str, tuple[int, int] | None] = {}
        self._ahead: dict[str, list[Record]] = {}

    async def step_end(self, topic: str, first: int, end: int) -> int:
        """Where to stop between `first` and `end`, so that at most `STEP_RECORDS` of the topic are in memory."""
        reach = await self._reach_of(topic)
        return end if reach is None or first >= reach[1] else min(end, max(first, reach[0]) + STEP_RECORDS)

    async def _reach_of(self, topic: str) -> tuple[int, int] | None:
        if topic not in self._reach:
            self._reach[topic] = await self._offset_range(topic)
        return self._reach[topic]

    async def read(self, topic: str, agency: Agency, first: int, end: int) -> Held:
        """The topic's records at the offsets `first … end - 1`. A topic that stalls counts as ending there."""
        reach = await self._reach_of(topic)
        if reach is None:
            return Held(agency, first, None, 0, {})
        ahead = [record for record in self._ahead.pop(topic, []) if record.offset >= first]
        start = ahead[-1].offset + 1 if ahead else max(first, reach[0])
        if start < min(end, reach[1]):
            more, stalled_at = await self._fetch(topic, start, min(end, reach[1]))
            ahead += more
            if stalled_at is not None:
                log.warning(
                    "a topic gives nothing more: what it holds from here on is lacking", topic=topic, offset=stalled_at
                )
                reach = self._reach[topic] = reach[0], stalled_at
        found = [record for record in ahead if record.offset < end]
        self._ahead[topic] = ahead[len(found) :]
        verdicts, time_slice = {}, TimeSlice()
        for record in found:
            verdicts[record.offset] = (record, validate(record.value, record.headers, agency))
            await time_slice.checkpoint()
        return Held(agency, first, *reach, verdicts)

    async def _offset_range(self, topic: str) -> tuple[int, int] | None:
        """The topic's first and end offset; None if it does not exist."""
        end = (await ends_of_existing(self._consumer, [topic])).get(topic)
        if end is None:
            return None
        partition = TopicPartition(topic, 0)
        first: int = (await self._consumer.beginning_offsets([partition]))[partition]
        return first, end

    async def _fetch(self, topic: str, first: int, end: int) -> tuple[list[Record], int | None]:
        """The records from `first` on, and the offset at which the topic stalled, if it did."""
        found: list[Record] = []
        reached = first
        now = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(STALLED_AFTER_S) as limit:
                async for offset in self._fetch_on(topic, first, end, found):
                    reached = offset
                    limit.reschedule(now() + STALLED_AFTER_S)
        except TimeoutError:
            return found, reached
        return found, None

    async def _fetch_on(self, topic: str, first: int, end: int, found: list[Any]) -> AsyncIterator[int]:
        """Add the records to `found`; yields the next offset at each progress."""
        consumer, partition = self._consumer, TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek(partition, first)
        while first < end:
            before = first
            try:
                batch = await consumer.getmany(partition, timeout_ms=1000, max_records=FETCH_RECORDS_MAX)
                found += batch.get(partition, [])
                first = await consumer.position(partition)
            except NOT_DECODED:
                try:
                    records = await fetch_records(consumer, partition, first, self._bytes_max)
                except CorruptBatch:
                    return
                if not records:
                    return
                found += records
                first = records[-1].offset + 1
                consumer.seek(partition, first)
            except OffsetOutOfRangeError:
                return
            if first > before:
                yield first


@asynccontextmanager
async def agency_records(settings: Settings) -> AsyncIterator[AgencyRecords]:
    """The records of this Kafka's agency topics."""
    consumer = AIOKafkaConsumer(**client_arguments(settings), enable_auto_commit=False, auto_offset_reset="none")
    try:
        await start_client(consumer)
        yield AgencyRecords(consumer, settings.fetch_bytes_max)
    finally:
        await stop_consumer(consumer)
