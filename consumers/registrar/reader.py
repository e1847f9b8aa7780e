"""Reads the agencies' topics from the positions in PostgreSQL; checks each read against the one before; halts topics
individually.

aiokafka with `assign()` and no group: nothing rebalances, nothing is committed, no record is skipped. Records are
returned only after the broker has confirmed, once it sent them, that the record before them is still the one that was
read. So no clock is needed to detect a suspended process or connection (docs/decisions/each-read-is-checked.md).

What was read waits in `backlog`, and not in the client: there it would keep other topics from being fetched.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from consumers.registrar.backlog import Backlog
from consumers.registrar.batch import NO_MARK, Mark, Record, record_sha256
from consumers.registrar.journal import ReadPosition
from consumers.registrar.last_records import LastRecord, changed_topics, fault_of_absence
from consumers.registrar.raw_record_reader import NOT_DECODED, CorruptBatch, RawRecord, fetch_records
from events.errors import Retry
from infra.kafka.client_config import client_arguments
from infra.kafka.clients import absent_topics, leaderless_topics, raw_client
from infra.kafka.end_offsets import ends_of_existing
from infra.process.pace import Pace
from infra.settings import Settings

READ_BYTES_MAX: Final = 4 << 20
"""Most bytes of one fetch from a broker."""
TOPIC_BYTES_MAX: Final = 256 << 10
"""Most bytes of one topic in a fetch: few enough that decoding them keeps nothing waiting."""
READ_RECORDS_MAX: Final = 4_096
"""Most records of a topic that is fetched for itself."""
READ_AHEAD_BYTES_MAX: Final = 64 << 20
TOPIC_READ_AHEAD_BYTES_MAX: Final = 3 << 20
"""A topic is fetched while less of it waits. More than is validated while a fetch waits for records of other topics."""
RECORD_BYTES: Final = 512
"""Memory of a record without its value."""
SILENT_AFTER_S: Final = 5.0
"""A topic with unread records of which none arrives for this long is asked for the first of them."""
WHAT_TO_DO: Final = "restore it, then `yesser registrar unhalt` (docs/runbook.md)"

log = structlog.get_logger()


class TopicBroken(Retry):
    """What the registrar read from a topic is no longer there. `faults` says of each topic what happened.

    The registrar halts these topics, and starts again without them.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{topic}: {fault}" for topic, fault in faults.items()))
        self.faults = faults


class Silence:
    """Which topics have unread records of which none arrives. Pure: the time comes in by argument."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[int, float]] = {}

    def look(self, behind: Mapping[str, int], now: float) -> list[str]:
        """The topics that stand where they stood `SILENT_AFTER_S` ago. `behind`: the positions of all with unread
        records."""
        before = self._since
        self._since = {
            topic: before[topic] if topic in before and before[topic][0] == offset else (offset, now)
            for topic, offset in behind.items()
        }
        return [topic for topic, (_, since) in self._since.items() if now - since >= SILENT_AFTER_S]


class Reader:
    """Records of all agencies' topics in order, from the registrar's position in each."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.backlog = Backlog(READ_AHEAD_BYTES_MAX, TOPIC_READ_AHEAD_BYTES_MAX, RECORD_BYTES)
        self.consumer = AIOKafkaConsumer(
            **client_arguments(settings),
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_bytes=READ_BYTES_MAX,
            max_partition_fetch_bytes=min(settings.fetch_bytes_max, TOPIC_BYTES_MAX),
            fetch_max_wait_ms=settings.poll_timeout_ms,
            metadata_max_age_ms=30_000,
        )
        self.next_offsets: dict[str, int] = {}
        self.held: set[str] = set()
        """Topics that are held; of those in `_allowed_one` the next record is read."""
        self._allowed_one: set[str] = set()
        self._moved: set[str] = set()
        """Topics whose position was set during a read: what that read brings of them is dropped."""
        self._last: dict[str, LastRecord] = {}
        self._awaited: set[str] = set()
        self._leaderless: set[str] = set()
        self._silence = Silence()
        self._order: list[TopicPartition] = []
        self._pace = Pace(settings.pace_ms)

    async def assign(self, positions: Mapping[str, ReadPosition]) -> None:
        """Read these topics from these positions, after comparing the record before each position.

        A topic that does not exist yet, or has no leader now, is left out (see `awaited_topics_answer`).
        """
        for topic, position in positions.items():
            if topic in self.next_offsets:
                continue
            self.next_offsets[topic] = position.next_offset
            if position.last_record != NO_MARK:
                self._last[topic] = LastRecord(position.next_offset - 1, position.last_record)
        for topic in set(self.next_offsets) - set(positions):
            del self.next_offsets[topic]
            self._last.pop(topic, None)
            self.held.discard(topic)
            self._allowed_one.discard(topic)
            self.backlog.drop(topic)
        self._awaited = await self._unreadable(self.next_offsets)
        self._order = [TopicPartition(topic, 0) for topic in self.next_offsets if topic not in self._awaited]
        self.consumer.assign(self._order)
        for partition in self._order:
            self.consumer.seek(partition, self.next_offsets[partition.topic])
            if partition.topic in self.held - self._allowed_one:
                self.consumer.pause(partition)
        await self.check_topics()

    def hold(self, topic: str, last: Record | None = None) -> None:
        """Hold the topic at its position or, if fewer records were registered, after `last`."""
        if last is not None:
            self._move(topic, last)
            self.backlog.drop(topic)
        self.held.add(topic)
        self._allowed_one.discard(topic)
        self._moved.add(topic)
        partition = TopicPartition(topic, 0)
        if partition in self._order:
            self.consumer.pause(partition)
            self.consumer.seek(partition, self.next_offsets[topic])

    def allow_one(self, topic: str) -> None:
        """Read the next record of a held topic, then hold it again."""
        if topic not in self._allowed_one:
            self._allowed_one.add(topic)
            self._fetch_again(topic)

    def resume(self, topic: str) -> None:
        """End the hold."""
        self.held.discard(topic)
        self._allowed_one.discard(topic)
        self._fetch_again(topic)

    def _fetch_again(self, topic: str) -> None:
        partition = TopicPartition(topic, 0)
        if partition in self._order:
            self.consumer.resume(partition)

    def count_ahead(self, ends: Mapping[str, int]) -> int:
        """The number of records to read up to these ends, without held topics."""
        return sum(
            max(0, end - self.next_offsets[topic])
            for topic, end in ends.items()
            if topic in self.next_offsets and topic not in self.held
        )

    async def awaited_topics_answer(self) -> bool:
        """Whether a topic that was left out can be read now, or one is to be left out: it lost its leader."""
        return bool(self._leaderless - self._awaited or self._awaited - await self._unreadable(self._awaited))

    async def _unreadable(self, topics: Iterable[str]) -> set[str]:
        client, names = raw_client(self.consumer), list(topics)
        return await absent_topics(client, names) | await leaderless_topics(client, names)

    async def check_topics(self) -> dict[str, int]:
        """The topics' end offsets, without topics that have no leader now.

        Raises `TopicBroken` for topics that end before the position at the call.
        """
        leaderless = await leaderless_topics(raw_client(self.consumer), self.next_offsets)
        if leaderless - self._leaderless:
            log.warning("topics without a leader wait, the others go on", topics=sorted(leaderless))
        self._leaderless = leaderless
        read = {topic: offset for topic, offset in self.next_offsets.items() if topic not in leaderless}
        last = dict(self._last)
        ends = await ends_of_existing(self.consumer, read)
        lost = [topic for topic, next_offset in read.items() if next_offset and topic not in ends]
        if lost:
            # A halt needs an operator: check twice.
            await asyncio.sleep(self.settings.look_again_ms / 1000)
            ends |= await ends_of_existing(self.consumer, lost)
        faults = {topic: f"the topic does not exist any more; {WHAT_TO_DO}" for topic in lost if topic not in ends}
        if faults:
            raise TopicBroken(faults)
        faults = {
            topic: f"it ends at offset {end}, but {read[topic]} records were read: its tail was lost, or it was "
            f"created again; {WHAT_TO_DO}"
            for topic, end in ends.items()
            if end < read[topic]
        }
        if faults:
            raise TopicBroken(faults)
        await self._require_unchanged({topic: last[topic] for topic in last.keys() & ends.keys()})
        return ends

    async def _require_unchanged(self, last: Mapping[str, LastRecord]) -> set[str]:
        """Raises `TopicBroken` for topics that lack their last record; returns those that lost their leader."""
        faults, leaderless = await changed_topics(self.consumer, last, self.settings.look_again_ms)
        if faults:
            raise TopicBroken({topic: f"{fault}; {WHAT_TO_DO}" for topic, fault in faults.items()})
        return leaderless

    async def check_silent_topics(self, ends: Mapping[str, int]) -> None:
        """Raises `TopicBroken` for topics whose next batch no broker can read.

        The client library logs the broker's refusal and asks again without end: nothing arrives, and nothing is raised.
        """
        held, full = self.held - self._allowed_one, self.backlog.full()
        behind = {
            partition.topic: self.next_offsets[partition.topic]
            for partition in self._order
            if partition.topic not in held | full and self.next_offsets[partition.topic] < ends.get(partition.topic, 0)
        }
        faults: dict[str, str] = {}
        for topic in self._silence.look(behind, time.monotonic()):
            try:
                with suppress(KafkaError):
                    await self._batches(TopicPartition(topic, 0), behind[topic], 1)
            except CorruptBatch as error:
                faults[topic] = f"{error}; {WHAT_TO_DO}"
        if faults:
            raise TopicBroken(faults)

    def _move(self, topic: str, last: Record) -> None:
        """Set the position after `last`."""
        self.next_offsets[topic] = last.offset + 1
        # In memory, where a hash does not outlive the record.
        self._last[topic] = LastRecord(last.offset, Mark(record_sha256(last), None))

    async def read(self) -> dict[str, Sequence[Any]]:
        """Add the next records to the backlog; returns them by topic."""
        self._moved.clear()
        try:
            fetched = await self._fetch()
        except OffsetOutOfRangeError as error:
            out_of_range: Mapping[TopicPartition, int] = error.args[0]
            raise TopicBroken(
                {
                    p.topic: f"{await self._fault_out_of_range(p.topic, offset)}; {WHAT_TO_DO}"
                    for p, offset in out_of_range.items()
                }
            ) from error
        result = {partition.topic: records for partition, records in fetched.items() if records}
        # Checked after they arrived: the record before them cannot have changed since they were sent.
        last = {topic: self._last[topic] for topic in result if topic in self._last}
        for topic in await self._require_unchanged(last) - self._moved:
            # Not compared: it is fetched again.
            self.consumer.seek(TopicPartition(topic, 0), self.next_offsets[topic])
            del result[topic]
        for topic in self._moved & result.keys():
            del result[topic]
        for topic, records in result.items():
            self._move(topic, records[-1])
            if topic in self._allowed_one:
                self.hold(topic)
        self.backlog.add(result)
        return result

    async def _fault_out_of_range(self, topic: str, offset: int) -> str:
        return await fault_of_absence(self.consumer, topic, offset) or f"offset {offset} is no longer there"

    async def _fetch(self) -> Mapping[TopicPartition, Sequence[Any]]:
        await self._pace.end()
        settings = self.settings
        full = self.backlog.full()
        read = []
        for partition in self._order:
            if partition.topic in full:
                self.consumer.pause(partition)
            elif partition.topic not in self.held:
                self.consumer.resume(partition)
                read.append(partition)
        if not read:
            # Without names the client would fetch all topics.
            await asyncio.sleep(settings.poll_timeout_ms / 1000)
        try:
            fetched: Mapping[TopicPartition, Sequence[Any]] = {}
            if read:
                # All that was fetched: what stays in the client keeps other topics from being fetched.
                fetched = await self.consumer.getmany(*read, timeout_ms=settings.poll_timeout_ms)
                # At once: the client's next fetch would already bring more.
                if self._pace.begin(record.value for records in fetched.values() for record in records):
                    for partition in read:
                        self.consumer.pause(partition)
                for topic in self.backlog.full({partition.topic: fetched[partition] for partition in fetched}):
                    self.consumer.pause(TopicPartition(topic, 0))
            # A copy: an operator may unpause a topic meanwhile.
            for partition in self._probed():
                fetched |= await self.consumer.getmany(partition, max_records=1)
        except NOT_DECODED:
            return await self._fetch_apart(read)
        return fetched

    def _probed(self) -> list[TopicPartition]:
        """The paused topics of which one record may be read now. One without a leader is not assigned."""
        return [partition for partition in self._order if partition.topic in self._allowed_one]

    async def _fetch_apart(self, read: Sequence[TopicPartition]) -> Mapping[TopicPartition, Sequence[Any]]:
        """Fetch each topic for itself, after a decoding error, and the faulty one as bytes."""
        counts = dict.fromkeys(read, READ_RECORDS_MAX)
        counts |= dict.fromkeys(self._probed(), 1)
        for partition in counts:
            self.consumer.seek(partition, self.next_offsets[partition.topic])
        # At once: the silent topics, one after the other, would keep all waiting.
        parts = await asyncio.gather(*(self._fetch_one(*wanted) for wanted in counts.items()), return_exceptions=True)
        fetched: dict[TopicPartition, Sequence[Any]] = {}
        faults: dict[str, str] = {}
        for partition, part in zip(counts, parts, strict=True):
            if isinstance(part, CorruptBatch):
                faults[partition.topic] = f"{part}; {WHAT_TO_DO}"
            elif isinstance(part, BaseException):
                raise part
            else:
                fetched |= part
        if faults:
            raise TopicBroken(faults)
        return fetched

    async def _fetch_one(self, partition: TopicPartition, count: int) -> Mapping[TopicPartition, Sequence[Any]]:
        """At most `count` records of a topic, decoded by the client or, where it cannot, here."""
        try:
            fetched: Mapping[TopicPartition, Sequence[Any]] = await self.consumer.getmany(
                partition, timeout_ms=self.settings.poll_timeout_ms, max_records=count
            )
        except NOT_DECODED:
            offset = self.next_offsets[partition.topic]
            records = (await self._batches(partition, offset, self.settings.fetch_bytes_max))[:count]
            if not records or partition.topic in self._moved:
                return {}
            self.consumer.seek(partition, records[-1].offset + 1)
            return {partition: records}
        return fetched

    async def _batches(self, partition: TopicPartition, offset: int, size: int) -> list[RawRecord]:
        """Records from `offset` on, of at most `size` bytes or one batch. Raises `CorruptBatch`."""
        try:
            return await fetch_records(self.consumer, partition, offset, size)
        except CorruptBatch:
            # A halt needs an operator, and the fault may be in transit: check twice.
            await asyncio.sleep(self.settings.look_again_ms / 1000)
            return await fetch_records(self.consumer, partition, offset, size)
