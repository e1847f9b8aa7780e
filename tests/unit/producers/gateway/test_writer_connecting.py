"""The writer connects again after whatever has ended a connection, or the try to make one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from infra.kafka.client_config import NoKafka
from infra.settings import Settings
from producers.errors import OutcomeUnknown
from producers.gateway import writer as module
from producers.gateway.writer import KafkaWriter
from tests.unit.producers.gateway.test_writer import TOPIC, Client, Metadata

Outcome = BaseException | None
OTHER_TOPIC = "agency.labour.events"
STRAY = asyncio.CancelledError()
SETTINGS = Settings(kafka="127.0.0.1:1", kafka_security="PLAINTEXT", gateway_kafka_timeout_s=0.1, gateway_stuck_s=0.02)
AT_ONCE_S = 10
"""Much more than it takes, also on a busy machine."""


class Kafka:
    """What happens to each try to connect, in order, and to each batch; then all goes well."""

    def __init__(self) -> None:
        self.starts: list[Outcome] = []
        self.sends: list[Callable[[], Any]] = []
        self.without_metadata: set[str] = set()
        self.abort_producer = 0
        self.producers_count = 0

    def producer(self, **_: Any) -> Producer:
        self.producers_count += 1
        return Producer(self)

    async def forget(self, producer: Producer) -> None:
        self.abort_producer += 1


class Producer:
    client = Client()

    def __init__(self, kafka: Kafka) -> None:
        self.kafka = kafka

    async def start(self) -> None:
        outcome = self.kafka.starts.pop(0) if self.kafka.starts else None
        if outcome is not None:
            raise outcome

    async def send_batch(self, batch: Any, topic: str, partition: int) -> asyncio.Future[Any]:
        if topic in self.kafka.without_metadata:  # as the library waits once its own metadata task has ended
            await asyncio.Event().wait()
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.kafka.sends:
            self.kafka.sends.pop(0)()
        else:
            future.set_result(Metadata(7))
        return future


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    made = Kafka()
    monkeypatch.setattr(module, "AIOKafkaProducer", made.producer)
    monkeypatch.setattr(module, "abort_producer", made.forget)
    monkeypatch.setattr(module, "_CONNECT_WAIT_S", 0.001)
    return made


@pytest.fixture
async def writer(kafka: Kafka) -> AsyncIterator[KafkaWriter]:
    made = KafkaWriter(SETTINGS)
    yield made
    await made.stop()


@pytest.fixture
async def patient(kafka: Kafka) -> AsyncIterator[KafkaWriter]:
    """A writer that would wait much longer than `AT_ONCE_S`."""
    made = KafkaWriter(SETTINGS.model_copy(update={"gateway_kafka_timeout_s": 60.0}))
    yield made
    await made.stop()


async def until_connected(writer: KafkaWriter) -> None:
    async with asyncio.timeout(AT_ONCE_S):
        while not writer.connected:  # noqa: ASYNC110 -- there is nothing to be woken by
            await asyncio.sleep(0.001)


async def test_it_tries_again_whatever_a_try_ends_with(kafka: Kafka, writer: KafkaWriter) -> None:
    kafka.starts = [KafkaConnectionError(), OSError(), STRAY, RuntimeError("the handler is closed"), AttributeError()]
    writer.start()
    await until_connected(writer)
    assert kafka.abort_producer == 5, "each producer that was not started is let go"
    assert await writer.write(TOPIC, [b"1"]) == [7]


async def test_it_tries_again_where_the_stack_says_nothing_of_kafka_yet(
    writer: KafkaWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def arguments(*_: object) -> dict[str, Any]:
        asked.append(True)
        if len(asked) < 3:
            raise NoKafka
        return {}

    monkeypatch.setattr(module, "client_arguments", arguments)
    writer.start()
    await until_connected(writer)


@pytest.mark.parametrize("error", [RuntimeError("the handler is closed"), AssertionError(), STRAY], ids=repr)
async def test_whatever_the_client_raises_the_outcome_is_unknown_at_once_and_it_connects_again(
    kafka: Kafka, patient: KafkaWriter, error: BaseException
) -> None:
    def fail() -> None:
        raise error

    patient.start()
    await until_connected(patient)
    kafka.sends = [fail]
    async with asyncio.timeout(AT_ONCE_S):
        with pytest.raises(OutcomeUnknown):
            await patient.write(TOPIC, [b"1"])
    await until_connected(patient)
    assert await patient.write(TOPIC, [b"2"]) == [7]


async def test_a_batch_that_is_never_acknowledged_costs_its_connection_and_not_all_later_events(
    kafka: Kafka, writer: KafkaWriter
) -> None:
    writer.start()
    await until_connected(writer)
    kafka.sends = [lambda: None]
    with pytest.raises(OutcomeUnknown):
        await writer.write(TOPIC, [b"1"])
    await until_connected(writer)
    assert (kafka.abort_producer, await writer.write(TOPIC, [b"2"])) == (1, [7])


async def test_a_topic_that_waits_for_its_metadata_is_not_forgotten_when_another_one_gives_the_connection_up(
    kafka: Kafka, patient: KafkaWriter
) -> None:
    def fail() -> None:
        raise KafkaConnectionError

    patient.start()
    await until_connected(patient)
    kafka.without_metadata = {OTHER_TOPIC}
    waiting = asyncio.create_task(patient.write(OTHER_TOPIC, [b"1"]))
    await asyncio.sleep(0)
    kafka.sends = [fail]
    for sent in (patient.write(TOPIC, [b"2"]), waiting):
        async with asyncio.timeout(AT_ONCE_S):
            with pytest.raises(OutcomeUnknown):
                await sent
    kafka.without_metadata = set()
    await until_connected(patient)
    assert await patient.write(OTHER_TOPIC, [b"1"]) == [7]


async def test_a_writer_that_is_stopped_while_it_connects_lets_its_producer_go(
    kafka: Kafka, writer: KafkaWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(self: Producer) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Producer, "start", never)
    writer.start()
    await asyncio.sleep(0.01)
    await writer.stop()
    assert kafka.abort_producer == 1


async def test_a_writer_that_stops_connects_no_further_time(kafka: Kafka, writer: KafkaWriter) -> None:
    writer.start()
    await until_connected(writer)
    await writer.stop()
    await asyncio.sleep(0)
    assert (kafka.producers_count, kafka.abort_producer) == (1, 1)
