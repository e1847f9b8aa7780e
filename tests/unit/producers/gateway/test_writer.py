"""A request's outcome: stored if Kafka acknowledged, not stored if nothing was sent, else unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber
from aiokafka.record.default_records import DefaultRecordBatch

from events.wire.codec import STRUCTURED_HEADERS
from infra.settings import Settings
from producers.errors import OutcomeUnknown
from producers.gateway import writer as module
from producers.gateway.writer import KafkaWriter, NotStored

TOPIC = "agency.health.events"
REAL_BATCH = module._Batch


class Batch:
    """A batch that holds three records."""

    def __init__(self, *_: Any) -> None:
        self.values: list[bytes] = []

    def extend(self, values: Sequence[bytes], *_: Any) -> int:
        added = values[: 3 - len(self.values)]
        self.values += added
        return len(added)


class Metadata:
    def __init__(self, offset: int) -> None:
        self.offset = offset


class Client:
    """The producer's client, which is given the topics to ask about."""

    def add_topic(self, topic: str) -> None: ...


class Producer:
    """Kafka as the test wants it: `acknowledge` is called for each batch with its future."""

    client = Client()

    def __init__(self, acknowledge: Callable[[Producer, asyncio.Future[Any]], None]) -> None:
        self.acknowledge = acknowledge
        self.batches: list[list[bytes]] = []
        self.offset = 0
        self.pending: list[asyncio.Future[Any]] = []

    async def send_batch(self, batch: Batch, topic: str, partition: int) -> asyncio.Future[Any]:
        self.batches.append(batch.values)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.acknowledge(self, future)
        return future


def at_once(producer: Producer, future: asyncio.Future[Any]) -> None:
    future.set_result(Metadata(producer.offset))
    producer.offset += len(producer.batches[-1])


def never(producer: Producer, future: asyncio.Future[Any]) -> None:
    producer.pending.append(future)


def failing(error: KafkaError) -> Callable[[Producer, asyncio.Future[Any]], None]:
    return lambda producer, future: future.set_exception(error)


@pytest.fixture(autouse=True)
def nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    async def abort_producer(producer: object) -> None:
        return None

    async def connect(self: KafkaWriter) -> None:
        return None

    monkeypatch.setattr(module, "_Batch", Batch)
    monkeypatch.setattr(module, "abort_producer", abort_producer)
    monkeypatch.setattr(KafkaWriter, "_connect", connect)


def writing(producer: Producer | None, timeout_s: float = 0.2, stuck_s: float = 0.05) -> KafkaWriter:
    writer = KafkaWriter(Settings(gateway_kafka_timeout_s=timeout_s, gateway_stuck_s=stuck_s))
    if producer is not None:
        writer._connection = module._Connection(cast(AIOKafkaProducer, producer))
    return writer


async def test_requests_that_wait_together_leave_together_and_each_gets_its_own_offsets() -> None:
    producer = Producer(at_once)
    writer = writing(producer)
    found = await asyncio.gather(*(writer.write(TOPIC, [b"%d" % n]) for n in range(4)))
    assert found == [[0], [1], [2], [3]]
    assert producer.batches == [[b"0", b"1", b"2"], [b"3"]]


async def test_a_request_larger_than_a_batch_is_answered_when_its_last_event_is_stored() -> None:
    producer = Producer(at_once)
    assert await writing(producer).write(TOPIC, [b"%d" % n for n in range(7)]) == list(range(7))
    assert [len(batch) for batch in producer.batches] == [3, 3, 1]


async def test_without_a_connection_nothing_is_stored() -> None:
    with pytest.raises(NotStored):
        await writing(None).write(TOPIC, [b"x"])


async def test_what_was_handed_over_and_not_acknowledged_is_unknown_and_what_waited_behind_is_not_stored() -> None:
    producer = Producer(never)
    writer = writing(producer, timeout_s=1, stuck_s=10)
    first = asyncio.create_task(writer.write(TOPIC, [b"1"]))
    await asyncio.sleep(0.02)
    second = asyncio.create_task(writer.write(TOPIC, [b"2"]))
    assert [type(e) for e in await asyncio.gather(first, second, return_exceptions=True)] == [OutcomeUnknown, NotStored]
    assert producer.batches == [[b"1"]]


async def test_while_a_batch_is_stuck_no_more_is_taken_and_after_it_is_acknowledged_it_goes_on() -> None:
    producer = Producer(never)
    writer = writing(producer, timeout_s=10)
    first = asyncio.create_task(writer.write(TOPIC, [b"1"]))
    await asyncio.sleep(0.08)
    assert not writer.connected
    with pytest.raises(NotStored):
        await writer.write(TOPIC, [b"2"])
    producer.acknowledge = at_once
    at_once(producer, producer.pending[0])
    assert await first == [0]
    assert await writer.write(TOPIC, [b"3"]) == [1]
    assert writer.connected


async def test_an_error_is_an_unknown_outcome_and_the_producer_is_given_up() -> None:
    writer = writing(Producer(failing(OutOfOrderSequenceNumber())))
    with pytest.raises(OutcomeUnknown):
        await writer.write(TOPIC, [b"1"])
    assert not writer.connected
    with pytest.raises(NotStored):
        await writer.write(TOPIC, [b"1"])


async def test_a_batch_acknowledged_without_an_offset_is_unknown() -> None:
    producer = Producer(at_once)
    producer.offset = -1
    with pytest.raises(OutcomeUnknown):
        await writing(producer).write(TOPIC, [b"1"])


async def test_stopping_tells_everybody_who_waits() -> None:
    writer = writing(Producer(never), timeout_s=10, stuck_s=10)
    waiting = asyncio.create_task(writer.write(TOPIC, [b"1"]))
    await asyncio.sleep(0.02)
    await writer.stop()
    with pytest.raises(OutcomeUnknown):
        await waiting


def test_a_batch_takes_what_fits_and_no_more() -> None:
    batch = REAL_BATCH(1_000, 0)
    assert batch.extend([b"x" * 100] * 3, STRUCTURED_HEADERS, 1_700_000_000_000) == 3
    added = batch.extend([b"y" * 100] * 9, STRUCTURED_HEADERS, 1_700_000_000_000)
    assert 0 < added < 9
    assert batch.record_count() == 3 + added
    records = list(DefaultRecordBatch(batch._build()))
    assert [record.value for record in records] == [b"x" * 100] * 3 + [b"y" * 100] * added
    assert [record.offset for record in records] == list(range(3 + added))
    assert {(record.key, record.timestamp) for record in records} == {(None, 1_700_000_000_000)}
    assert {tuple(record.headers) for record in records} == {tuple(STRUCTURED_HEADERS)}
