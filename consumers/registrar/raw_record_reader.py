"""Reads records that the client library cannot decode: aiokafka never gets past a header *name* that is not UTF-8.

Any agency could stop the national log with such a record. When decoding fails, the batch at the topic's position is
fetched as bytes and parsed here (Kafka's record batch v2), with such names kept by `surrogateescape`. Validation then
treats the record like any other.

A checksum detects a corrupt batch (a fault of the broker's disk). Records before it are read; the topic is then halted
until an operator acts.

Checks with the broker that each topic still has its last read record.

A topic can lose its tail and grow again unnoticed, while the process was suspended or disconnected, or when a broker
returned with less data. The next offset then follows other records than those that were registered.

Flows in: the last record of each topic (offset and hash). Flows out: the topics that have another record, with the
fault, and those that nothing can be said of.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import ConnectionGroup
from aiokafka.errors import (
    CorruptRecordException,
    KafkaConnectionError,
    NoError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.util import calc_crc32c

from consumers.registrar.batch import Mark, has_mark
from events.errors import Halt
from infra.kafka.clients import raw_client, send_repeatable
from infra.process.reaction import is_bug, trace_of

_HEADER: Final = struct.Struct(">qiibIhiqqqhii")
_LENGTH: Final = struct.Struct(">i")
_LENGTH_AT: Final = 8
_LENGTH_BEFORE: Final = 12
_CHECKSUM: Final = struct.Struct(">I")
_CHECKSUM_AT: Final = 17
_CHECKED_FROM: Final = 21
_MAGIC: Final = 2
_COMPRESSION: Final = 0x07
_LOG_APPEND_TIME: Final = 0x08
_CONTROL: Final = 0x20
_UNCOMMITTED: Final = 0
WAIT_MS: Final = 1_000


NOT_DECODED: Final = (UnicodeDecodeError, CorruptRecordException, RecordTooLargeError)
"""The client library's errors for a batch that it cannot decode."""
ANSWER_BYTES_MAX: Final = 4 << 20
TOPIC_BYTES_MAX: Final = 160 << 10
"""More than the largest batch of an agency's topic. A larger batch is returned when its topic is fetched alone."""

_TRIES: Final = 20
_TRY_AGAIN_S: Final = 0.1
# A fetch waits at the broker for new records and blocks other requests on its connection.
_CONNECTION: Final = ConnectionGroup.COORDINATION


class CorruptBatch(Halt):
    """A batch that is not as it was written, or not of the form that agency topics hold; the message names it."""

    @classmethod
    def unreadable(cls, offset: int) -> CorruptBatch:
        """The broker itself cannot read the batch."""
        return cls(f"the batch at offset {offset} is damaged: Kafka cannot read it")


@dataclass(frozen=True, slots=True)
class RawRecord:
    """The part of a Kafka record that is used."""

    offset: int
    timestamp: int
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


async def fetch_records(
    consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int, size: int
) -> list[RawRecord]:
    """The records from `offset` on of what one fetch of at most `size` bytes brings (at least one batch)."""
    client = raw_client(consumer)
    node = client.cluster.leader_for_partition(partition)
    if node is None or node == -1:
        raise KafkaConnectionError(f"{partition.topic} has no leader now")
    wanted = [(partition.topic, [(partition.partition, offset, size)])]
    response = await send_repeatable(client, node, FetchRequest(WAIT_MS, 1, size, _UNCOMMITTED, wanted))
    for _, partitions in response.topics:
        for _, error, *_, data in partitions:
            if error == CorruptRecordException.errno:
                raise CorruptBatch.unreadable(offset)
            if error:
                raise for_code(error)(f"fetching {partition.topic} at offset {offset}")
            try:
                return [r for r in parse_batches(bytes(data or b"")) if r.offset >= offset]
            except Exception as bug:
                if not is_bug(bug):
                    raise
                raise CorruptBatch(
                    f"the batch at offset {offset} cannot be decoded, which is a bug of this release ({trace_of(bug)})"
                ) from bug
    return []


def parse_batches(data: bytes) -> list[RawRecord]:
    """All records of the whole batches in `data`, without a batch that is cut off at the end.

    Stops at a corrupt batch. Raises `CorruptBatch` if the first one is corrupt.
    """
    records: list[RawRecord] = []
    for batch in _batches(data):
        records += [_record(data, start, batch) for start in _starts(data, batch)]
    return records


def record_at(data: bytes, offset: int) -> RawRecord | None:
    """The record at `offset`, from the first batches in `data`. Raises `CorruptBatch`."""
    for batch in _batches(data):
        if batch.base_offset > offset:
            return None
        for start in _starts(data, batch):
            if _deltas(data, start)[1] + batch.base_offset == offset:
                return _record(data, start, batch)
    return None


def holds_a_batch(data: bytes) -> bool:
    """Whether the first batch in `data` is complete."""
    if len(data) < _HEADER.size:
        return False
    (length,) = _LENGTH.unpack_from(data, _LENGTH_AT)
    return len(data) >= _LENGTH_BEFORE + int(length)


class _Batch(NamedTuple):
    """A batch's header: where its records start, and what they count from. Times are in milliseconds.

    With LogAppendTime, as agency topics have it, each record has the batch's time (`appended_ms`).
    """

    start: int
    base_offset: int
    records_count: int
    base_ms: int
    appended_ms: int | None


def _batches(data: bytes) -> Iterator[_Batch]:
    """Each whole batch, without control batches."""
    at = 0
    while at + _HEADER.size <= len(data):
        base, length, _, magic, _, attributes, _, base_ms, max_ms, *_, count = _HEADER.unpack_from(data, at)
        end = at + _LENGTH_BEFORE + length
        if end > len(data) and at:
            return
        if fault := _fault(data, at, end, magic, attributes):
            if at:
                return
            raise CorruptBatch(f"the batch at offset {base} {fault}")
        if not attributes & _CONTROL:
            yield _Batch(at + _HEADER.size, base, count, base_ms, max_ms if attributes & _LOG_APPEND_TIME else None)
        at = end


def _fault(data: bytes, at: int, end: int, magic: int, attributes: int) -> str | None:
    """Why a batch cannot be read, or None."""
    if end > len(data):
        # Kafka sends the first batch whole, whatever its size.
        return "is damaged: it is shorter than its length field (the broker's disk?)"
    if magic != _MAGIC or attributes & _COMPRESSION:
        return f"has a format that agency topics do not use (magic {magic}, attributes {attributes:#x})"
    (checksum,) = _CHECKSUM.unpack_from(data, at + _CHECKSUM_AT)
    if calc_crc32c(data[at + _CHECKED_FROM : end]) != checksum:
        return "is damaged: its checksum does not match (the broker's disk?)"
    return None


def _starts(data: bytes, batch: _Batch) -> Iterator[int]:
    """The start of each record of a batch, after its length."""
    at = batch.start
    for _ in range(batch.records_count):
        length, start = _varint(data, at)
        yield start
        at = start + length


def _deltas(data: bytes, at: int) -> tuple[int, int, int]:
    """A record's time and offset, counted from its batch's, and the end of both."""
    ms, at = _varint(data, at + 1)  # after the attributes
    offset, at = _varint(data, at)
    return ms, offset, at


def _record(data: bytes, at: int, batch: _Batch) -> RawRecord:
    ms, offset, at = _deltas(data, at)
    _, at = _bytes(data, at)  # the key is ignored
    value, at = _bytes(data, at)
    headers_count, at = _varint(data, at)
    headers: list[tuple[str, bytes | None]] = []
    for _ in range(headers_count):
        name, at = _bytes(data, at)
        content, at = _bytes(data, at)
        headers.append(((name or b"").decode("utf-8", "surrogateescape"), content))
    timestamp = batch.base_ms + ms if batch.appended_ms is None else batch.appended_ms
    return RawRecord(batch.base_offset + offset, timestamp, value, tuple(headers))


def _bytes(data: bytes, at: int) -> tuple[bytes | None, int]:
    length, at = _varint(data, at)
    return (None, at) if length < 0 else (data[at : at + length], at + length)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A zigzag-encoded integer and its end."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7


@dataclass(frozen=True, slots=True)
class LastRecord:
    """The offset and the mark of the last read record."""

    offset: int
    mark: Mark


@dataclass(slots=True)
class Compared:
    """What a comparison found: topic → fault, and the topics without a leader, of which nothing is known."""

    changed: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    leaderless: set[str] = field(default_factory=set)


async def changed_topics(
    consumer: AIOKafkaConsumer, expected: Mapping[str, LastRecord], look_again_ms: int
) -> tuple[dict[str, str], set[str]]:
    """Topic → fault, for topics whose last record changed, and the topics without a leader: those are not compared.

    Raises a `KafkaError` if brokers are unavailable. A corrupt batch is fetched twice, because the fault may be in
    transit; a different record is reported at once.
    """
    compared = await _compare(consumer, expected)
    if not compared.damaged:
        return compared.changed, compared.leaderless
    await asyncio.sleep(look_again_ms / 1000)
    again = await _compare(consumer, {topic: expected[topic] for topic in compared.damaged})
    return compared.changed | again.changed | again.damaged, compared.leaderless | again.leaderless


async def _compare(consumer: AIOKafkaConsumer, expected: Mapping[str, LastRecord]) -> Compared:
    """Ask until every topic with a leader has answered."""
    compared = Compared()
    waiting = dict(expected)
    tries = 0
    while waiting:
        answers = await _ask(consumer, waiting)
        for topic, data in answers.items():
            last = waiting.pop(topic)
            try:
                if isinstance(data, CorruptBatch):
                    raise data
                fault = (
                    await fault_of_absence(consumer, topic, last.offset + 1)
                    if data is None
                    else _changed_in(data, last)
                )
                if fault is not None:
                    compared.changed[topic] = fault
            except CorruptBatch as error:
                compared.damaged[topic] = str(error)
        if not answers:
            tries += 1
            if tries == _TRIES:
                compared.leaderless = {topic for topic in waiting if _leader(consumer, topic) is None}
                if silent := sorted(waiting.keys() - compared.leaderless):
                    raise KafkaConnectionError(f"the brokers do not return the last record of {', '.join(silent)}")
                break
            raw_client(consumer).force_metadata_update()
            await asyncio.sleep(_TRY_AGAIN_S)
    return compared


def _changed_in(data: bytes, last: LastRecord) -> str | None:
    """None if `data` holds the record."""
    record = record_at(data, last.offset)
    return None if record is not None and has_mark(record, last.mark) else _changed(last.offset)


async def fault_of_absence(consumer: AIOKafkaConsumer, topic: str, next_offset: int) -> str | None:
    """Why the topic has no record before `next_offset`, the end of what was read, or at it.

    None if the topic begins exactly there: what was read has aged, and nothing unread is lost.
    """
    partition = TopicPartition(topic, 0)
    first: int = (await consumer.beginning_offsets([partition]))[partition]
    if first > next_offset:
        return (
            f"the records {next_offset} … {first - 1} were deleted before they were read (the topic was not read for"
            " longer than it keeps its records, or another program deleted them)"
        )
    return None if first == next_offset else _changed(next_offset - 1)


def _changed(offset: int) -> str:
    return f"the record at offset {offset} is not the one that was read (its tail was lost, or it was created again)"


def _leader(consumer: AIOKafkaConsumer, topic: str) -> int | None:
    leader: int | None = raw_client(consumer).cluster.leader_for_partition(TopicPartition(topic, 0))
    return None if leader == -1 else leader


async def _ask(
    consumer: AIOKafkaConsumer, expected: Mapping[str, LastRecord]
) -> dict[str, bytes | CorruptBatch | None]:
    """Topic → its batches from its last record on, or None: no such offset. A topic without an answer now is absent.

    A broker that cannot read the batch from its disk says so instead of sending it.
    """
    client = raw_client(consumer)
    by_leader: dict[int, list[tuple[str, list[tuple[int, int, int]]]]] = {}
    for topic, last in expected.items():
        if (leader := _leader(consumer, topic)) is not None:
            by_leader.setdefault(leader, []).append((topic, [(0, last.offset, TOPIC_BYTES_MAX)]))
    answers: dict[str, bytes | CorruptBatch | None] = {}
    for leader, wanted in by_leader.items():
        request = FetchRequest(0, 0, ANSWER_BYTES_MAX, _UNCOMMITTED, wanted)
        response = await send_repeatable(client, leader, request, group=_CONNECTION)
        for topic, partitions in response.topics:
            for _, code, *_, data in partitions:
                error = for_code(code)
                if error is OffsetOutOfRangeError:
                    answers[topic] = None
                elif error is CorruptRecordException:
                    answers[topic] = CorruptBatch.unreadable(expected[topic].offset)
                elif error is NoError and holds_a_batch(data or b""):
                    answers[topic] = bytes(data)
    return answers
