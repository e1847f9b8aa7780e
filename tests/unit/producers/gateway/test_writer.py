"""A request's outcome: stored if Kafka acknowledged, not stored if nothing was sent, else unknown.

The writer connects again after any end of a connection, or of the try to make one.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError, OutOfOrderSequenceNumber

from events.wire.codec import STRUCTURED_HEADERS
from infra.settings import Settings
from producers.errors import OutcomeUnknown
from producers.gateway.writer import KafkaWriter, NotStored
from tests.every import every
from tests.unit.producers.kafka_producers import NOWHERE, Kafka, Outcome, event, events
from tests.virtual_time import virtual

TOPIC = "agency.health.events"
OTHER_TOPIC = "agency.labour.events"
STRAY = asyncio.CancelledError()
AT_ONCE_S = 10
"""Much more than it takes, also on a busy machine."""


def writer_to(kafka: Kafka, settings: Settings = NOWHERE, timeout_s: float = 60, stuck_s: float = 60) -> KafkaWriter:
    changes = {"gateway_kafka_timeout_s": timeout_s, "gateway_stuck_s": stuck_s}
    return KafkaWriter(settings.model_copy(update=changes), kafka.producer, connect_wait_s=0.001)


async def until_connected(writer: KafkaWriter) -> None:
    async with asyncio.timeout(AT_ONCE_S):
        while not writer.connected:  # noqa: ASYNC110 -- there is nothing to be woken by
            await asyncio.sleep(0.001)


@asynccontextmanager
async def connected(
    *answers: Outcome, timeout_s: float = 60, stuck_s: float = 60
) -> AsyncIterator[tuple[KafkaWriter, Kafka]]:
    """A writer whose first producer is answered so."""
    kafka = Kafka([list(answers)])
    writer = writer_to(kafka, timeout_s=timeout_s, stuck_s=stuck_s)
    writer.start()
    await until_connected(writer)
    yield writer, kafka
    await writer.stop()


@virtual
async def test_requests_that_wait_together_leave_together_and_each_gets_its_own_offsets() -> None:
    async with connected() as (writer, kafka):
        found = await asyncio.gather(*(writer.write(TOPIC, [event(name)]) for name in "abcd"))
    assert found == [[0], [1], [2], [3]]
    assert kafka.producers[0].sent == ["abc", "d"]


@virtual
async def test_a_request_larger_than_a_batch_is_answered_when_its_last_event_is_stored() -> None:
    before_ms = time.time_ns() // 1_000_000
    async with connected() as (writer, kafka):
        assert await writer.write(TOPIC, events("abcdefg")) == list(range(7))
    assert kafka.producers[0].sent == ["abc", "def", "g"]
    records = kafka.producers[0].batches[1]
    assert [record.value for record in records] == events("def")
    assert [record.offset for record in records] == [0, 1, 2]
    assert all(record.key is None and record.timestamp - before_ms in range(60_000) for record in records)
    assert {tuple(record.headers) for record in records} == {tuple(STRUCTURED_HEADERS)}


@virtual
async def test_what_was_handed_over_and_not_acknowledged_is_unknown_and_what_waited_behind_is_not_stored() -> None:
    async with connected(None, timeout_s=1) as (writer, kafka):
        first = asyncio.create_task(writer.write(TOPIC, [event("a")]))
        await asyncio.sleep(0.02)
        second = asyncio.create_task(writer.write(TOPIC, [event("b")]))
        errors = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(error) for error in errors] == [OutcomeUnknown, NotStored]
    assert kafka.producers[0].sent == ["a"]


@virtual
async def test_while_a_batch_is_stuck_no_more_is_taken_and_after_it_is_acknowledged_it_goes_on() -> None:
    async with connected(None, stuck_s=0.05) as (writer, kafka):
        first = asyncio.create_task(writer.write(TOPIC, [event("a")]))
        await asyncio.sleep(0.08)
        assert not writer.connected
        with pytest.raises(NotStored):
            await writer.write(TOPIC, [event("b")])
        kafka.producers[0].acknowledge(0)
        assert await first == [0]
        assert await writer.write(TOPIC, [event("c")]) == [1]
        assert writer.connected


@virtual
async def test_a_batch_acknowledged_without_an_offset_is_unknown() -> None:
    async with connected(-1) as (writer, _):
        with pytest.raises(OutcomeUnknown):
            await writer.write(TOPIC, [event("a")])


@virtual
async def test_a_writer_that_stops_tells_everybody_who_waits_and_connects_no_further_time() -> None:
    async with connected(None) as (writer, kafka):
        waiting = asyncio.create_task(writer.write(TOPIC, [event("a")]))
        await asyncio.sleep(0.02)
    with pytest.raises(OutcomeUnknown):
        await waiting
    assert [producer.is_closed for producer in kafka.producers] == [True]


@virtual
async def test_it_tries_again_whatever_a_try_ends_with() -> None:
    kafka = Kafka(
        start_errors=[KafkaConnectionError(), OSError(), STRAY, RuntimeError("the handler is closed"), AttributeError()]
    )
    writer = writer_to(kafka)
    with pytest.raises(NotStored):
        await writer.write(TOPIC, [event("a")])
    writer.start()
    await until_connected(writer)
    assert [producer.is_closed for producer in kafka.producers] == [True] * 5 + [False]
    assert await writer.write(TOPIC, [event("a")]) == [0]
    await writer.stop()


@virtual
async def test_it_tries_again_where_the_stack_says_nothing_of_kafka_yet(tmp_path: Path) -> None:
    kafka = Kafka()
    writer = writer_to(kafka, Settings(home=tmp_path, kafka_security="PLAINTEXT"))
    writer.start()
    await asyncio.sleep(0.01)
    assert kafka.producers == []
    (tmp_path / "stack.json").write_text(json.dumps({"kafka": {"port": 1}}))
    await until_connected(writer)
    await writer.stop()


@every("error", [OutOfOrderSequenceNumber(), RuntimeError("the handler is closed"), AssertionError(), STRAY])
@virtual
async def test_after_any_error_the_outcome_is_unknown_and_it_connects_again(error: BaseException) -> None:
    async with connected(error) as (writer, kafka):
        async with asyncio.timeout(AT_ONCE_S):
            with pytest.raises(OutcomeUnknown):
                await writer.write(TOPIC, [event("a")])
        await until_connected(writer)
        assert await writer.write(TOPIC, [event("b")]) == [0]
    assert [producer.sent for producer in kafka.producers] == [["a"], ["b"]]


@virtual
async def test_a_batch_that_is_never_acknowledged_costs_its_connection_and_not_all_later_events() -> None:
    async with connected(None, timeout_s=1, stuck_s=0.02) as (writer, kafka):
        with pytest.raises(OutcomeUnknown):
            await writer.write(TOPIC, [event("a")])
        await until_connected(writer)
        assert await writer.write(TOPIC, [event("b")]) == [0]
    assert [(producer.sent, producer.is_closed) for producer in kafka.producers] == [(["a"], True), (["b"], True)]


@virtual
async def test_a_topic_that_waits_for_its_metadata_is_not_forgotten_when_another_one_gives_the_connection_up() -> None:
    async with connected(KafkaConnectionError()) as (writer, kafka):
        kafka.producers[0].without_metadata = OTHER_TOPIC
        waiting = asyncio.create_task(writer.write(OTHER_TOPIC, [event("a")]))
        await asyncio.sleep(0)
        for sent in (writer.write(TOPIC, [event("b")]), waiting):
            async with asyncio.timeout(AT_ONCE_S):
                with pytest.raises(OutcomeUnknown):
                    await sent
        await until_connected(writer)
        assert await writer.write(OTHER_TOPIC, [event("a")]) == [0]


@virtual
async def test_a_writer_that_is_stopped_while_it_connects_lets_its_producer_go() -> None:
    kafka = Kafka(never_starts=True)
    writer = writer_to(kafka)
    writer.start()
    await asyncio.sleep(0.01)
    await writer.stop()
    assert [producer.is_closed for producer in kafka.producers] == [True]
