"""The Kafka in memory answers as the real one does, to the same calls of the client library and of `infra.kafka`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.protocol.produce import ProduceRequest

from consumers.registrar.raw_record_reader import fetch_records
from infra.kafka.client_config import PRODUCER_DURABLE, client_arguments
from infra.kafka.clients import absent_topics, leaderless_topics, raw_client, send_batch
from infra.kafka.end_offsets import ends_of_existing, first_offset
from infra.settings import Settings
from tests.simulate.broker import Broker
from tests.world.topics import HEALTH_TOPIC, LABOUR_TOPIC, make_topics


async def answers(settings: Settings) -> list[Any]:
    """What is answered, without what differs by the hour."""
    arguments = client_arguments(settings)
    producer = AIOKafkaProducer(**arguments, **PRODUCER_DURABLE)
    consumer = AIOKafkaConsumer(**arguments, enable_auto_commit=False, auto_offset_reset="none")
    await producer.start()
    await consumer.start()
    partition = TopicPartition(HEALTH_TOPIC, 0)
    said: list[Any] = []
    try:
        first = await producer.send_and_wait(HEALTH_TOPIC, b"one", b"key", partition=0, headers=[("name", b"value")])
        batch = producer.create_batch()
        for value in (b"two", b"three"):
            batch.append(key=None, value=value, timestamp=None, headers=[])
        batch.close()
        second = await (await send_batch(producer, batch, HEALTH_TOPIC))
        said.append([(sent.offset, sent.timestamp_type) for sent in (first, second)])
        said.append(await _sent_twice(producer))
        client = raw_client(consumer)
        said.append(await absent_topics(client, [HEALTH_TOPIC, LABOUR_TOPIC]))
        said.append(await leaderless_topics(client, [HEALTH_TOPIC]))
        said.append(await ends_of_existing(consumer, [HEALTH_TOPIC, LABOUR_TOPIC]))
        said.append(await first_offset(settings, HEALTH_TOPIC))
        consumer.assign([partition])
        consumer.seek(partition, 1)
        found = (await consumer.getmany(partition, timeout_ms=5_000))[partition]
        said.append([(r.offset, r.key, r.value, r.headers, r.timestamp_type) for r in found])
        said.append(found[0].timestamp == second.timestamp)
        raw = await fetch_records(consumer, partition, 2, 1 << 20)
        said.append([(r.offset, r.value, r.headers) for r in raw])
        consumer.seek(partition, 9)
        said.append(await _error_of(lambda: consumer.getmany(partition, timeout_ms=5_000)))
    finally:
        await producer.stop()
        await consumer.stop()
    return said


async def _sent_twice(producer: AIOKafkaProducer) -> list[Any]:
    """An idempotent batch that is sent again, as the library does after a lost answer; and one that leaves a gap."""
    manager, data = producer._txn_manager, []
    for sequence in (3, 9):
        batch = producer.create_batch()
        batch.append(key=None, value=b"four", timestamp=None, headers=[])
        batch._set_producer_state(manager.producer_id, manager.producer_epoch, sequence)
        data.append(bytes(batch._build()))
    answers = []
    for sent in (data[0], data[0], data[1]):
        request = ProduceRequest(None, -1, 5_000, [(HEALTH_TOPIC, [(0, sent)])])
        response = await producer.client.send(producer.client.get_random_node(), request)
        [(_, [(_, code, offset, *_)])] = response.topics
        answers.append((code, None if code else offset))
    return answers


async def _error_of(call: Callable[[], Awaitable[object]]) -> str:
    try:
        await call()
    except KafkaError as error:
        return type(error).__name__
    return "none"


async def test_it_answers_as_a_real_broker_does(settings: Settings) -> None:
    await make_topics(settings, "health")
    real = await answers(settings)
    broker = Broker()
    broker.create(HEALTH_TOPIC)
    with broker.serving():
        assert await answers(settings) == real
    assert real[1] == [(0, 3), (0, 3), (45, None)]
