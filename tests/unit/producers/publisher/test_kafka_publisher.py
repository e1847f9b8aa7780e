"""What the publisher does when a producer fails: the same bytes, in the same order, and never a false "failed".

The producer here is a script; that the real one behaves so is shown on the real Kafka elsewhere.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.errors import OutOfOrderSequenceNumber, TopicAuthorizationFailedError

from producers.errors import NotAccepted, OutcomeUnknown
from producers.publisher.kafka_publisher import AgencyPublisher
from tests.every import every
from tests.unit.producers.kafka_producers import NOWHERE, Kafka, Outcome, event, events
from tests.virtual_time import virtual

SEVEN = events("abcdefg")


def publishing_to(kafka: Kafka, timeout_s: float = 5, **options: Any) -> AgencyPublisher:
    return AgencyPublisher(NOWHERE, "health", delivery_timeout_s=timeout_s, make_producer=kafka.producer, **options)


async def offsets(publisher: AgencyPublisher, values: list[bytes]) -> list[int]:
    return [address.offset for address in await publisher.publish(values)]


async def offsets_of_seven(*scripts: list[Outcome], **options: Any) -> tuple[list[int], list[list[str]]]:
    """Where seven events are stored, and what each producer was given."""
    kafka = Kafka(list(scripts))
    async with publishing_to(kafka, **options) as publisher:
        found = await offsets(publisher, SEVEN)
    return found, [producer.sent for producer in kafka.producers]


@virtual
async def test_each_event_gets_its_address() -> None:
    assert await offsets_of_seven([10, 20, 30]) == ([10, 11, 12, 20, 21, 22, 30], [["abc", "def", "g"]])


@virtual
async def test_after_a_fatal_error_or_an_answer_without_an_offset_all_that_is_unacknowledged_goes_again() -> None:
    error = OutOfOrderSequenceNumber()
    found, sent = await offsets_of_seven([10, error, error], [20, 30])
    assert (found, sent[1]) == ([10, 11, 12, 20, 21, 22, 30], ["def", "g"]), "in order"
    found, sent = await offsets_of_seven([-1, 20, 30], [40, 50, 60])
    assert (found, sent[1]) == ([40, 41, 42, 50, 51, 52, 60], ["abc", "def", "g"])
    found, sent = await offsets_of_seven([10, None, None], [20, 30], send_timeout_s=0.02)
    assert (found, sent[1]) == ([10, 11, 12, 20, 21, 22, 30], ["def", "g"]), "no answer for a while"


@virtual
async def test_no_answer_in_time_is_unknown_and_what_the_broker_will_never_take_is_said_at_once() -> None:
    with pytest.raises(OutcomeUnknown, match="the outcome of 4 events is unknown"):
        await offsets_of_seven([10, None, None], timeout_s=0.05)
    with pytest.raises(NotAccepted, match=r"agency\.health\.events: .*TopicAuthorizationFailedError"):
        await offsets_of_seven([TopicAuthorizationFailedError(), None, None])


@virtual
async def test_where_kafka_is_away_it_says_that_nothing_was_sent() -> None:
    with pytest.raises(OutcomeUnknown, match="Nothing was sent"):
        async with AgencyPublisher(NOWHERE, "health", delivery_timeout_s=0.3):
            pass


@every("error", [RuntimeError("the handler is closed"), asyncio.CancelledError()])
@virtual
async def test_it_connects_again_whatever_a_try_ends_with(error: BaseException) -> None:
    kafka = Kafka(start_errors=[error])
    async with publishing_to(kafka) as publisher:
        assert await offsets(publisher, SEVEN) == list(range(7))
    assert kafka.producers[0].is_closed


@virtual
async def test_events_that_were_added_leave_when_the_publisher_is_closed() -> None:
    kafka = Kafka([[7]])
    heard: list[tuple[list[int], int]] = []
    async with publishing_to(kafka, acknowledged=lambda tags, offset: heard.append((list(tags), offset))) as publisher:
        await publisher.add(event("a"), 41)
        await publisher.add(event("b"), 43)
    assert kafka.producers[0].sent == ["ab"]
    assert heard == [([41, 43], 7)]


@virtual
async def test_adding_waits_while_too_much_is_unacknowledged() -> None:
    kafka = Kafka([[None] * 20])
    with pytest.raises(OutcomeUnknown, match="the outcome of 27 events"):
        await publishing_to(kafka, timeout_s=0.05).publish(events("a" * 60))
    assert len(kafka.producers[0].sent) == 9


@virtual
async def test_a_producer_that_cannot_stop_is_let_go_and_nobody_is_cancelled() -> None:
    kafka = Kafka()
    async with publishing_to(kafka) as publisher:
        await publisher.publish([event("a")])
        kafka.producers[0].stop_error = asyncio.CancelledError()
    assert kafka.producers[0].is_closed


@every(("first", "error"), [(None, OutcomeUnknown), (TopicAuthorizationFailedError(), NotAccepted)])
@virtual
async def test_after_an_error_the_same_events_can_be_published_again(first: Outcome, error: type[Exception]) -> None:
    kafka = Kafka([[first, None, None], [first, None, None], [10, 20, 30]])
    async with publishing_to(kafka, timeout_s=0.05) as publisher:
        for _ in range(2):
            with pytest.raises(error):
                await publisher.publish(SEVEN)
            await asyncio.sleep(0.06)
        assert await offsets(publisher, SEVEN) == [10, 11, 12, 20, 21, 22, 30]
    assert kafka.producers[2].sent == ["abc", "def", "g"], "once, and in order"


@virtual
async def test_what_a_cancelled_call_left_is_sent_before_the_next_events() -> None:
    kafka = Kafka([[None], [10, 11]])
    async with publishing_to(kafka, timeout_s=0.4, send_timeout_s=0.02) as publisher:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await publisher.publish([event("a")])
        await asyncio.sleep(0.4)
        assert await offsets(publisher, [event("b")]) == [11]
    assert kafka.producers[1].sent == ["a", "b"]
