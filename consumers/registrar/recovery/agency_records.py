"""Reads what agencies' topics still hold of the offsets in a recovery. Missing records are not an error; an absence of
Kafka is one, since nothing is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from consumers.registrar.batch import Record
from consumers.registrar.raw_record_reader import NOT_DECODED, CorruptBatch, fetch_records
from consumers.registrar.recovery.restored import Held
from events.validation.validate import validate
from events.validation.verdicts import Agency
from infra.kafka.clients import absent_topics, consuming, leaderless_topics, raw_client
from infra.kafka.end_offsets import ends_of_existing
from infra.process.tasks import TimeSlice
from infra.settings import Settings

FETCH_RECORDS_MAX: Final = 4096
STEP_RECORDS: Final = 2_048
"""Records of a stretch without entries that are recovered at once: one may have 128 KiB."""
FETCH_WAIT_MS: Final = 50
"""A broker answers one request of a connection after the other: at the end of a topic, a fetch that waits for records
holds up what is asked about the next topic."""
STALLED_AFTER_S: Final = 60.0
"""Of a topic that gives nothing for this long it is asked why: longer than a broker takes to start again."""
LOOK_AGAIN_S: Final = 1.0
"""Between two looks for the leader of a topic."""
_NO_LEADER: Final = "no broker leads it"

log = structlog.get_logger()


@dataclass(slots=True)
class AgencyRecords:
    """Records of agency topics by offset range; records fetched beyond the range are kept for the next one."""

    consumer: AIOKafkaConsumer
    bytes_max: int
    step_records: int = STEP_RECORDS
    stalled_after_s: float = STALLED_AFTER_S
    look_again_s: float = LOOK_AGAIN_S
    _reach: dict[str, tuple[int, int] | None] = field(default_factory=dict)
    _ahead: dict[str, list[Record]] = field(default_factory=dict)

    async def step_end(self, topic: str, first: int, end: int) -> int:
        """Where to stop between `first` and `end`, so that at most `step_records` of the topic are in memory."""
        reach = await self._reach_of(topic)
        return end if reach is None or first >= reach[1] else min(end, max(first, reach[0]) + self.step_records)

    async def _reach_of(self, topic: str) -> tuple[int, int] | None:
        if topic not in self._reach:
            self._reach[topic] = await self._offset_range(topic)
        return self._reach[topic]

    async def read(self, topic: str, agency: Agency, first: int, end: int) -> Held:
        """The topic's records at the offsets `first … end - 1`. One that cannot be read counts as ending there.

        Raises `KafkaError` where Kafka does not answer.
        """
        reach = await self._reach_of(topic)
        if reach is None:
            return Held(agency, first, None, 0, {})
        ahead = [record for record in self._ahead.pop(topic, []) if record.offset >= first]
        start = ahead[-1].offset + 1 if ahead else max(first, reach[0])
        if start < min(end, reach[1]):
            more, stalled_at = await self._fetch(topic, start, min(end, reach[1]))
            ahead += more
            if stalled_at is not None:
                reach = self._reach[topic] = reach[0], stalled_at
        records = [record for record in ahead if record.offset < end]
        self._ahead[topic] = ahead[len(records) :]
        verdicts, time_slice = {}, TimeSlice()
        for record in records:
            verdicts[record.offset] = (record, validate(record.value, record.headers, agency))
            await time_slice.checkpoint()
        return Held(agency, first, *reach, verdicts)

    async def _offset_range(self, topic: str) -> tuple[int, int] | None:
        """The topic's first and end offset; None if it does not exist, or has no leader."""
        if not await self._is_led(topic):
            _warn(topic, 0, _NO_LEADER)
            return None
        end = (await ends_of_existing(self.consumer, [topic])).get(topic)
        if end is None:
            return None
        partition = TopicPartition(topic, 0)
        first: int = (await self.consumer.beginning_offsets([partition]))[partition]
        return first, end

    async def _is_led(self, topic: str) -> bool:
        """Whether a broker serves the topic, or it does not exist. The choice of a new leader takes some seconds."""
        now = asyncio.get_running_loop().time
        ends_at = now() + self.stalled_after_s
        while topic in await leaderless_topics(raw_client(self.consumer), [topic]):
            if now() >= ends_at:
                return False
            await asyncio.sleep(self.look_again_s)
        return True

    async def _fetch(self, topic: str, first: int, end: int) -> tuple[list[Record], int | None]:
        """The records from `first` on, and the offset from which the topic cannot be read, if there is one."""
        records: list[Record] = []
        reached = first
        now = asyncio.get_running_loop().time
        while reached < end:
            try:
                async with asyncio.timeout(self.stalled_after_s) as limit:
                    async for offset in self._fetch_on(topic, reached, end, records):
                        reached = offset
                        limit.reschedule(now() + self.stalled_after_s)
                break
            except TimeoutError:
                fault = await self._fault(topic, reached, records)
            if fault is not None:
                _warn(topic, reached, fault)
                return records, reached
            reached = records[-1].offset + 1
        return records, None

    async def _fault(self, topic: str, offset: int, found: list[Any]) -> str | None:
        """Why the topic gives nothing from `offset` on; None where it does again, which is added to `found`.

        Raises `KafkaError` where Kafka does not answer: nothing is lost then.
        """
        client = raw_client(self.consumer)
        if await absent_topics(client, [topic]):
            return "it does not exist any more"
        if await leaderless_topics(client, [topic]):
            return _NO_LEADER
        try:
            records = await fetch_records(self.consumer, TopicPartition(topic, 0), offset, 1)
        except CorruptBatch as error:
            return str(error)
        found += records
        return None if records else "it holds nothing more"

    async def _fetch_on(self, topic: str, first: int, end: int, found: list[Any]) -> AsyncIterator[int]:
        """Add the records to `found`; yields the next offset at each progress."""
        consumer, partition = self.consumer, TopicPartition(topic, 0)
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
                    records = await fetch_records(consumer, partition, first, self.bytes_max)
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


def _warn(topic: str, offset: int, reason: str) -> None:
    text = "a topic cannot be read further: what it holds from here on is lacking"
    log.warning(text, topic=topic, offset=offset, reason=reason)


@asynccontextmanager
async def agency_records(settings: Settings) -> AsyncIterator[AgencyRecords]:
    """The records of this Kafka's agency topics."""
    async with consuming(settings, fetch_max_wait_ms=FETCH_WAIT_MS) as consumer:
        yield AgencyRecords(consumer, settings.fetch_bytes_max)
