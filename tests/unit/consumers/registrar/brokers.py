"""Batches of records as a broker stores them, and brokers that answer requests for them."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import NotLeaderForPartitionError
from aiokafka.record.default_records import DefaultRecordBatchBuilder


def batch(base: int, *values: bytes) -> bytearray:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    for offset, value in enumerate(values):
        builder.append(offset, 0, None, value, [("h", b"1")])
    built = bytearray(builder.build())
    built[0:8] = base.to_bytes(8, "big")
    return built


def damaged(data: bytearray, at: int = -1) -> bytearray:
    data[at] ^= 0xFF
    return data


class Brokers:
    """Topics as batches in bytes. A request is answered up to `room` bytes, its first batch whole in any case."""

    def __init__(self, topics: dict[str, bytes], *, room: int = 1 << 20, first: int = 0) -> None:
        self._topics = topics
        self._room = room
        self._first = first
        self.requests: list[list[str]] = []
        self.errors: dict[str, int] = {}
        self.leaderless: set[str] = set()
        self._client = self
        self.cluster = SimpleNamespace(leader_for_partition=lambda p: -1 if p.topic in self.leaderless else 1)

    async def send(self, _: int, request: Any, *, group: Any = None) -> Any:
        self.requests.append([topic for topic, _ in request.topics])
        room, answers = self._room, []
        for topic, _ in request.topics:
            data = self._topics[topic] if room == self._room else self._topics[topic][: max(0, room)]
            room -= len(data)
            error = self.errors.get(topic, 0)
            answers.append((topic, [(0, error, 9, 9, 0, None, b"" if error else data)]))
        return SimpleNamespace(topics=answers)

    def force_metadata_update(self) -> None:
        self.errors = {topic: code for topic, code in self.errors.items() if code != NotLeaderForPartitionError.errno}

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, self._first)
