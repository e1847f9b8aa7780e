"""Reads records that the client library cannot decode: aiokafka never gets past a header *name* that is not UTF-8.

Any agency could stop the national log with such a record. When decoding fails, the batch at the topic's position is
fetched as bytes and parsed here (Kafka's record batch v2), with such names kept by `surrogateescape`. Validation then
treats the record like any other.

A checksum detects a corrupt batch (a fault of the broker's disk). Records before it are read; the topic is then halted
until an operator acts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaConnectionError, RecordTooLargeError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.util import calc_crc32c

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
    key: bytes | None = None


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
    key, at = _bytes(data, at)
    value, at = _bytes(data, at)
    headers_count, at = _varint(data, at)
    headers: list[tuple[str, bytes | None]] = []
    for _ in range(headers_count):
        name, at = _bytes(data, at)
        content, at = _bytes(data, at)
        headers.append(((name or b"").decode("utf-8", "surrogateescape"), content))
    timestamp = batch.base_ms + ms if batch.appended_ms is None else batch.appended_ms
    return RawRecord(batch.base_offset + offset, timestamp, value, tuple(headers), key)


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
