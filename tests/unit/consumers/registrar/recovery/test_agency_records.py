"""Reading a topic in a recovery: as long as Kafka brings records of it, and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError
from structlog.testing import capture_logs

from consumers.registrar.raw_record_reader import CorruptBatch
from consumers.registrar.recovery import agency_records
from consumers.registrar.recovery.agency_records import AgencyRecords
from tests.every import every
from tests.virtual_time import virtual
from tests.world.records import HEALTH, Record, said, topic_of

TOPIC = topic_of(HEALTH)
RECORDS = 12


class Consumer:
    """A topic of `RECORDS` records, which come one by one and slowly; from `stalls_at` on none comes."""

    def __init__(self, stalls_at: int = RECORDS) -> None:
        self.stalls_at = stalls_at
        self._client = None
        self._position = 0

    def assign(self, partitions: Sequence[TopicPartition]) -> None: ...

    def seek(self, _: TopicPartition, offset: int) -> None:
        self._position = offset

    async def getmany(self, partition: TopicPartition, **_: object) -> dict[TopicPartition, list[Record]]:
        await asyncio.sleep(0.03)
        if self._position >= self.stalls_at:
            return {}
        self._position += 1
        return {partition: [Record(self._position - 1, said(f"e{self._position - 1}"))]}

    async def position(self, _: TopicPartition) -> int:
        return self._position

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)


def records_of(consumer: Any) -> AgencyRecords:
    return AgencyRecords(consumer, 1 << 20, stalled_after_s=0.25, look_again_s=0.05)


class Kafka:
    """What Kafka answers about the topic."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.absent = False
        self.leaderless = False
        self.fetched: list[Record] | Exception = []
        monkeypatch.setattr(agency_records, "ends_of_existing", self._ends)
        monkeypatch.setattr(agency_records, "absent_topics", self._absent_topics)
        monkeypatch.setattr(agency_records, "leaderless_topics", self._leaderless_topics)
        monkeypatch.setattr(agency_records, "fetch_records", self._fetch_records)

    async def _ends(self, *_: object) -> dict[str, int]:
        assert not self.leaderless, "the client would wait for it"
        return {TOPIC: RECORDS}

    async def _absent_topics(self, _: object, topics: Sequence[str]) -> set[str]:
        return {*topics} if self.absent else set()

    async def _leaderless_topics(self, _: object, topics: Sequence[str]) -> set[str]:
        return {*topics} if self.leaderless else set()

    async def _fetch_records(self, *_: object) -> list[Record]:
        if isinstance(self.fetched, Exception):
            raise self.fetched
        return self.fetched


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    return Kafka(monkeypatch)


@every(
    ("fault", "reason"),
    [
        ({"absent": True}, "it does not exist any more"),
        ({"leaderless": True}, "no broker leads it"),
        ({"fetched": CorruptBatch.unreadable(5)}, "the batch at offset 5 is damaged: Kafka cannot read it"),
        ({"fetched": []}, "it holds nothing more"),
    ],
)
@virtual
async def test_what_a_stalled_topic_does_not_give_is_lacking(kafka: Kafka, fault: dict[str, Any], reason: str) -> None:
    records = records_of(Consumer(stalls_at=5))
    vars(kafka).update(absent=False, leaderless=False, fetched=[])
    await records.step_end(TOPIC, 0, RECORDS)  # it is there
    vars(kafka).update(fault)
    with capture_logs() as lines:
        held = await records.read(TOPIC, HEALTH, 0, 8)
    assert [(line["offset"], line["reason"]) for line in lines] == [(5, reason)]
    assert sorted(held.records) == list(range(5))
    assert [held.has_lost(offset) for offset in (4, 5, 7)] == [False, True, True]
    async with asyncio.timeout(0.1):  # it is not asked again
        held = await records.read(TOPIC, HEALTH, 8, RECORDS)
    assert (held.records, held.has_lost(8)) == ({}, True)


@virtual
async def test_while_kafka_is_away_nothing_counts_as_lacking(kafka: Kafka) -> None:
    kafka.fetched = KafkaConnectionError("no broker")
    records = records_of(Consumer(stalls_at=5))
    with pytest.raises(KafkaConnectionError):
        await records.read(TOPIC, HEALTH, 0, 8)
    kafka.fetched = [Record(5, said("e5"))]
    assert not (await records.read(TOPIC, HEALTH, 5, 6)).has_lost(5)


@virtual
async def test_a_long_stretch_is_read_to_its_end_also_where_the_topic_stalls_and_gives_again(kafka: Kafka) -> None:
    for stalls_at, fetched in ((RECORDS, []), (5, [Record(5, said("e5"))])):
        kafka.fetched, consumer = fetched, Consumer(stalls_at)
        asyncio.get_running_loop().call_later(0.4, setattr, consumer, "stalls_at", RECORDS)
        held = await records_of(consumer).read(TOPIC, HEALTH, 0, RECORDS)
        assert sorted(held.records) == list(range(RECORDS))
        assert not held.has_lost(RECORDS - 1)


@virtual
async def test_of_a_topic_without_a_leader_nothing_can_be_read_until_it_has_one(kafka: Kafka) -> None:
    kafka.leaderless = True
    with capture_logs() as lines:
        held = await records_of(Consumer()).read(TOPIC, HEALTH, 0, 8)
    assert [(line["offset"], line["reason"]) for line in lines] == [(0, "no broker leads it")]
    assert (held.records, held.has_lost(0), held.has_aged(0)) == ({}, True, False)
    asyncio.get_running_loop().call_later(0.1, setattr, kafka, "leaderless", False)
    held = await records_of(Consumer()).read(TOPIC, HEALTH, 0, 8)
    assert sorted(held.records) == list(range(8))
