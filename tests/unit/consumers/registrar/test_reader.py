"""Reading agencies' topics of which one is damaged or has no leader: the others are read on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException
from aiokafka.protocol.metadata import MetadataRequest

from consumers.registrar import last_records, reader
from consumers.registrar.batch import NO_MARK, Mark, record_sha256
from consumers.registrar.journal import ReadPosition
from consumers.registrar.reader import Reader, Silence, TopicBroken
from infra.settings import Settings
from tests.unit.consumers.registrar.brokers import Brokers, batch
from tests.world.records import Record

HEADERS = [("h", b"1")]


class Client(Brokers):
    """The client of a reader: topics of a first record "a", which was read, and an unread one at offset 1."""

    def __init__(self, *topics: str) -> None:
        super().__init__({topic: bytes(batch(0, b"a", b"b")) for topic in topics})
        self.assigned: list[str] = []
        self.undecoded = False
        self.positions: dict[str, int] = {}

    async def send(self, node: int, request: Any, *, group: Any = None) -> Any:
        if not isinstance(request, MetadataRequest):
            return await super().send(node, request, group=group)
        # topics → (error, name, internal, partitions); partitions → (error, number, leader, replicas, in sync)
        leaders = {topic: -1 if topic in self.leaderless else 1 for topic in self._topics}
        return SimpleNamespace(topics=[(0, t, False, [(0, 0, leader, [1], [1])]) for t, leader in leaders.items()])

    def get_random_node(self) -> int:
        return 1

    def add_topic(self, topic: str) -> None: ...

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        self.assigned = [partition.topic for partition in partitions]

    def seek(self, partition: TopicPartition, offset: int) -> None:
        assert partition.topic in self.assigned, "the client raises an error, and nothing is read"
        self.positions[partition.topic] = offset

    def pause(self, partition: TopicPartition) -> None: ...

    def resume(self, partition: TopicPartition) -> None: ...

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        assert not self.leaderless & {partition.topic for partition in partitions}, "the client would wait for it"
        return dict.fromkeys(partitions, 2)

    async def getmany(self, *partitions: TopicPartition, **_: object) -> dict[TopicPartition, list[Record]]:
        if self.undecoded:
            self.undecoded = False
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "a header of another topic")
        return {p: [Record(1, b"b", HEADERS)] for p in partitions if p.topic not in self.errors}


async def reading(tmp_path: Path, client: Client) -> Reader:
    plain: dict[str, Any] = {"kafka": "localhost:1", "kafka_user": "u", "dangerously_allow_plaintext": "kafka"}
    found = Reader(Settings(home=tmp_path, look_again_ms=1, **plain))
    found.consumer = client
    mark = Mark(record_sha256(Record(0, b"a", HEADERS)), None)
    await found.assign({topic: ReadPosition(1, mark, None) for topic in client._topics})
    return found


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_records, "_TRY_AGAIN_S", 0)
    monkeypatch.setattr(reader, "AIOKafkaConsumer", lambda **_: None)


async def test_a_topic_is_read_and_assigned_while_it_has_a_leader(tmp_path: Path) -> None:
    """The client would ask for the leader of an assigned topic without a pause."""
    client = Client("a", "b")
    client.leaderless = {"a"}
    found = await reading(tmp_path, client)
    again = {topic: ReadPosition(1, NO_MARK, None) for topic in ("a", "b")}
    assert client.assigned == ["b"]
    assert list(await found.read()) == ["b"]
    assert not await found.awaited_topics_answer()
    assert await found.check_topics() == {"b": 2}
    client.leaderless = set()
    assert await found.awaited_topics_answer(), "it has one again"
    await found.assign(again)
    assert client.assigned == ["a", "b"]

    client.leaderless = {"a"}
    assert await found.check_topics() == {"b": 2}
    assert await found.awaited_topics_answer(), "it has lost it"
    await found.assign(again)
    assert client.assigned == ["b"]
    await found.check_topics()
    assert not await found.awaited_topics_answer()

    found.hold("a")
    found.allow_one("a")
    found.consumer.undecoded = True
    assert list(await found.read()) == ["b"], "nor is it probed while it is paused"


async def test_records_that_cannot_be_compared_are_fetched_again(tmp_path: Path) -> None:
    client = Client("a", "b")
    found = await reading(tmp_path, client)
    client.leaderless = {"a"}
    client.positions = {"a": 2, "b": 2}
    assert list(await found.read()) == ["b"]
    assert found.next_offsets == {"a": 1, "b": 2}
    assert client.positions == {"a": 1, "b": 2}


async def test_an_unread_batch_that_the_broker_cannot_read_halts_its_topic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client("a", "b")
    found = await reading(tmp_path, client)
    client.errors = {"a": CorruptRecordException.errno}
    await found.read()
    ends = {"a": 2, "b": 2}
    await found.check_silent_topics(ends)
    monkeypatch.setattr(reader, "SILENT_AFTER_S", 0)
    with pytest.raises(TopicBroken) as broken:
        await found.check_silent_topics(ends)
    assert list(broken.value.faults) == ["a"]
    assert "the batch at offset 1 is damaged" in broken.value.faults["a"]


def test_a_topic_is_silent_while_its_position_stays_behind_its_end() -> None:
    silence = Silence()
    assert silence.look({"a": 1, "b": 1}, 0) == []
    assert silence.look({"a": 1, "b": 2}, 4) == []
    assert silence.look({"a": 1, "b": 2}, 5) == ["a"]
    assert silence.look({"b": 2}, 9) == ["b"]
    assert silence.look({"a": 1}, 10) == []
