"""Asking where topics end, while they are deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition

from infra.kafka import end_offsets
from infra.kafka.end_offsets import ends_of_existing


class Brokers:
    """Topics that end at 7, and what the client does where one of them is deleted while it asks: it waits."""

    def __init__(self, existing: Iterable[str], *, deleted: Iterable[str] = (), silent: bool = False) -> None:
        self._existing = set(existing)
        self._deleted = set(deleted)
        self._silent = silent
        self._client = self
        self.given: set[str] = set()

    def add_topic(self, topic: str) -> None:
        self.given.add(topic)

    async def absent(self, _client: object, topics: Iterable[str]) -> set[str]:
        return set(topics) - self._existing

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        assert {partition.topic for partition in partitions} <= self.given, "the client fails, waits and tries again"
        self._existing -= self._deleted
        if self._silent or not {partition.topic for partition in partitions} <= self._existing:
            await asyncio.Event().wait()
        return dict.fromkeys(partitions, 7)


async def ask(monkeypatch: pytest.MonkeyPatch, brokers: Brokers, *topics: str) -> dict[str, int]:
    monkeypatch.setattr(end_offsets, "absent_topics", brokers.absent)
    monkeypatch.setattr(end_offsets, "ANSWER_TIMEOUT_S", 0.01)
    consumer: Any = brokers
    return await ends_of_existing(consumer, topics)


async def test_what_does_not_exist_or_is_deleted_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await ask(monkeypatch, Brokers("ab"), "a", "b", "c") == {"a": 7, "b": 7}
    assert await ask(monkeypatch, Brokers(""), "a") == {}
    assert await ask(monkeypatch, Brokers("ab", deleted="b"), "a", "b") == {"a": 7}
    assert await ask(monkeypatch, Brokers("a", deleted="a"), "a") == {}
    with pytest.raises(TimeoutError):
        await ask(monkeypatch, Brokers("a", silent=True), "a")  # no missing topic
