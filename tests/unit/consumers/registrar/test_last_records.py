"""Asking brokers for the last record of topics: what does not fit is asked again, and silence is no answer."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.errors import (
    CorruptRecordException,
    KafkaConnectionError,
    NotLeaderForPartitionError,
    OffsetOutOfRangeError,
)

from consumers.registrar import last_records
from consumers.registrar.batch import Mark, record_sha256
from consumers.registrar.last_records import LastRecord, changed_topics
from tests.every import every
from tests.unit.consumers.registrar.brokers import Brokers, batch, damaged
from tests.world.records import Record


def last(offset: int, value: bytes) -> LastRecord:
    return LastRecord(offset, Mark(record_sha256(Record(offset, value, [("h", b"1")])), None))


async def ask(brokers: Brokers, **expected: LastRecord) -> dict[str, str]:
    consumer: Any = brokers
    changed, leaderless = await changed_topics(consumer, expected, look_again_ms=0)
    assert leaderless == brokers.leaderless & expected.keys()
    return changed


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_records, "_TRY_AGAIN_S", 0)


async def test_only_topics_with_a_leader_and_another_last_record_are_named() -> None:
    data = {"same": batch(3, b"a", b"b"), "other": batch(3, b"a", b"x"), "leaderless": batch(3, b"a", b"x")}
    brokers = Brokers({name: bytes(found) for name, found in data.items()})
    brokers.leaderless = {"leaderless"}
    found = await ask(brokers, same=last(4, b"b"), other=last(4, b"b"), leaderless=last(4, b"b"))
    assert list(found) == ["other"]
    assert "offset 4" in found["other"]
    assert len(brokers.requests) == 1


async def test_topics_that_did_not_fit_are_asked_again() -> None:
    brokers = Brokers({name: bytes(batch(3, name.encode())) for name in "abc"}, room=100)
    assert await ask(brokers, a=last(3, b"a"), b=last(3, b"b"), c=last(3, b"x")) == {
        "c": "the record at offset 3 is not the one that was read (its tail was lost, or it was created again)"
    }
    assert brokers.requests == [["a", "b", "c"], ["b", "c"], ["c"]]


async def test_a_leader_that_moved_is_asked_again_and_silence_is_an_error_that_passes() -> None:
    brokers = Brokers({"a": bytes(batch(3, b"a"))})
    brokers.errors = {"a": NotLeaderForPartitionError.errno}
    assert await ask(brokers, a=last(3, b"a")) == {}
    silent = Brokers({"a": b""})
    with pytest.raises(KafkaConnectionError, match="do not return the last record of a"):
        await ask(silent, a=last(3, b"a"))


async def test_an_offset_that_is_gone_is_a_loss_unless_the_topic_begins_right_behind_it() -> None:
    for first, fault in ((0, "offset 3 is not"), (3, "offset 3 is not"), (4, None), (6, "records 4 … 5 were deleted")):
        brokers = Brokers({"a": b""}, first=first)
        brokers.errors = {"a": OffsetOutOfRangeError.errno}
        found = await ask(brokers, a=last(3, b"a"))
        assert list(found) == ([] if fault is None else ["a"])
        assert (fault or "") in found.get("a", "")


async def test_a_record_without_a_hash_is_recognised_by_the_time_at_which_it_was_stored() -> None:
    data = bytes(batch(3, b"a"))
    assert await ask(Brokers({"a": data}), a=LastRecord(3, Mark(None, 0))) == {}
    assert list(await ask(Brokers({"a": data}), a=LastRecord(3, Mark(None, 1)))) == ["a"]


@every(("errors", "fault"), [({}, ""), ({"a": CorruptRecordException.errno}, ": Kafka cannot read it")])
async def test_a_damaged_batch_is_asked_for_twice_and_a_fault_of_its_topic(errors: dict[str, int], fault: str) -> None:
    brokers = Brokers({"a": bytes(damaged(batch(3, b"a"))), "b": bytes(batch(3, b"b"))})
    brokers.errors = errors
    found = await ask(brokers, a=last(3, b"a"), b=last(3, b"b"))
    assert list(found) == ["a"]
    assert f"is damaged{fault}" in found["a"]
    assert brokers.requests == [["a", "b"], ["a"]]
