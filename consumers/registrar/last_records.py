"""Checks with the broker that each topic still has its last read record.

A topic can lose its tail and grow again unnoticed, while the process was suspended or disconnected, or when a broker
returned with less data. The next offset then follows other records than those that were registered.

Flows in: the last record of each topic (offset and hash). Flows out: the topics that have another record, with the
fault, and those that nothing can be said of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import ConnectionGroup
from aiokafka.errors import CorruptRecordException, KafkaConnectionError, NoError, OffsetOutOfRangeError, for_code
from aiokafka.protocol.fetch import FetchRequest

from consumers.registrar.batch import Mark, has_mark
from consumers.registrar.raw_record_reader import CorruptBatch, holds_a_batch, record_at
from infra.kafka.clients import raw_client, send_repeatable

ANSWER_BYTES_MAX: Final = 4 << 20
TOPIC_BYTES_MAX: Final = 160 << 10
"""More than the largest batch of an agency's topic. A larger batch is returned when its topic is fetched alone."""

_TRIES: Final = 20
_TRY_AGAIN_S: Final = 0.1
_UNCOMMITTED: Final = 0
# A fetch waits at the broker for new records and blocks other requests on its connection.
_CONNECTION: Final = ConnectionGroup.COORDINATION


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
                fault = await fault_of_absence(consumer, topic, last.offset + 1) if data is None else _fault(data, last)
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


def _fault(data: bytes, last: LastRecord) -> str | None:
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
