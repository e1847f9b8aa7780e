"""Reading a topic in a recovery: as long as it takes, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition

from consumers.registrar.recovery import agency_records
from consumers.registrar.recovery.agency_records import AgencyRecords
from tests.unit.consumers.registrar.readings import HEALTH, Record, said, topic_of

TOPIC = topic_of(HEALTH)
RECORDS = 12


class Consumer:
    """A topic of `RECORDS` records, which come one by one and slowly; from `stalls_at` on none comes."""

    def __init__(self, stalls_at: int = RECORDS) -> None:
        self._stalls_at = stalls_at
        self._position = 0

    def assign(self, partitions: Sequence[TopicPartition]) -> None: ...

    def seek(self, _: TopicPartition, offset: int) -> None:
        self._position = offset

    async def getmany(self, partition: TopicPartition, **_: object) -> dict[TopicPartition, list[Record]]:
        await asyncio.sleep(0.03)
        if self._position >= self._stalls_at:
            return {}
        self._position += 1
        return {partition: [Record(self._position - 1, said(f"e{self._position - 1}"))]}

    async def position(self, _: TopicPartition) -> int:
        return self._position


def records_of(consumer: Any) -> AgencyRecords:
    found = AgencyRecords(consumer, 1 << 20)
    found._reach[TOPIC] = (0, RECORDS)
    return found


async def test_a_long_stretch_is_read_to_its_end_however_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agency_records, "STALLED_AFTER_S", 0.25)
    held = await records_of(Consumer()).read(TOPIC, HEALTH, 0, RECORDS)
    assert sorted(held.records) == list(range(RECORDS))
    assert not held.has_lost(RECORDS - 1)


async def test_what_a_topic_that_stalls_does_not_give_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agency_records, "STALLED_AFTER_S", 0.25)
    records = records_of(Consumer(stalls_at=5))
    held = await records.read(TOPIC, HEALTH, 0, 8)
    assert sorted(held.records) == list(range(5))
    assert [held.has_lost(offset) for offset in (4, 5, 7)] == [False, True, True]
    async with asyncio.timeout(0.1):  # it is not asked again
        held = await records.read(TOPIC, HEALTH, 8, RECORDS)
    assert (held.records, held.has_lost(8)) == ({}, True)
