"""What the publisher does when a producer fails: the same bytes, in the same order, and never a false "failed".

The producer here is a script; that the real one behaves so is shown on the real Kafka elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber, TopicAuthorizationFailedError

import producers.publisher.kafka_publisher
from infra.settings import Settings
from producers.errors import NotAccepted, OutcomeUnknown
from producers.publisher.kafka_publisher import AgencyPublisher

Outcome: TypeAlias = int | KafkaError | None
"""Offset of the first record, an error, or None for no answer at all."""


@dataclass
class Builder:
    """A batch of at most two records."""

    values: list[bytes] = field(default_factory=list)

    def append(self, *, key: None, value: bytes, timestamp: None, headers: object) -> object | None:
        if len(self.values) == 2:
            return None
        self.values.append(value)
        return value


@dataclass
class Producer:
    """Answers its batches by the script, in order."""

    script: list[Outcome]
    sent: list[list[bytes]] = field(default_factory=list)
    stopping: BaseException | None = None
    closed: list[str] = field(default_factory=list)
    _sender: None = None

    @property
    def client(self) -> Any:
        return SimpleNamespace(close=self._close, add_topic=lambda topic: None, _conns={})

    async def start(self) -> None: ...

    async def stop(self) -> None:
        if self.stopping is not None:
            raise self.stopping

    async def _close(self) -> None:
        self.closed.append("client")

    def create_batch(self) -> Builder:
        return Builder()

    async def send_batch(self, builder: Builder, topic: str, *, partition: int) -> asyncio.Future[Any]:
        outcome = self.script[len(self.sent)]
        self.sent.append(list(builder.values))
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if isinstance(outcome, KafkaError):
            future.set_exception(outcome)
        elif outcome is not None:
            future.set_result(SimpleNamespace(offset=outcome))
        return future


Scripted: TypeAlias = Callable[..., list[Producer]]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """Producers that are made one after another follow these scripts; returns those that were made."""

    def prepare(*scripts: list[Outcome]) -> list[Producer]:
        made: list[Producer] = []

        def make(**_: object) -> Producer:
            made.append(Producer(scripts[len(made)]))
            return made[-1]

        monkeypatch.setattr(producers.publisher.kafka_publisher, "AIOKafkaProducer", make)
        return made

    return prepare


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, kafka="127.0.0.1:1", kafka_security="PLAINTEXT")


VALUES = [b"a", b"b", b"c", b"d", b"e"]


async def addresses(settings: Settings, timeout_s: float = 5) -> list[int]:
    async with AgencyPublisher(settings, "health", delivery_timeout_s=timeout_s) as publisher:
        return [address.offset for address in await publisher.publish(VALUES)]


async def test_each_event_gets_its_address(settings: Settings, scripted: Scripted) -> None:
    made = scripted([10, 20, 30])
    assert await addresses(settings) == [10, 11, 20, 21, 30]
    assert made[0].sent == [[b"a", b"b"], [b"c", b"d"], [b"e"]]


async def test_after_a_fatal_error_all_that_is_unacknowledged_goes_again_in_order(
    settings: Settings, scripted: Scripted
) -> None:
    made = scripted([10, OutOfOrderSequenceNumber(), OutOfOrderSequenceNumber()], [20, 30])
    assert await addresses(settings) == [10, 11, 20, 21, 30]
    assert made[1].sent == [[b"c", b"d"], [b"e"]]


async def test_an_acknowledgement_without_an_offset_is_not_taken_for_an_address(
    settings: Settings, scripted: Scripted
) -> None:
    made = scripted([-1, 20, 30], [40, 50, 60])
    assert await addresses(settings) == [40, 41, 50, 51, 60]
    assert made[1].sent == [[b"a", b"b"], [b"c", b"d"], [b"e"]]


async def test_no_answer_in_time_is_unknown_and_never_failed(settings: Settings, scripted: Scripted) -> None:
    scripted([10, None, None])
    with pytest.raises(OutcomeUnknown, match="the outcome of 3 events is unknown"):
        await addresses(settings, timeout_s=0.05)


async def test_a_batch_that_is_not_acknowledged_for_a_while_goes_again_over_a_new_producer(
    settings: Settings, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producers.publisher.kafka_publisher, "SEND_TIMEOUT_S", 0.02)
    made = scripted([10, None, None], [20, 30])
    assert await addresses(settings) == [10, 11, 20, 21, 30]
    assert made[1].sent == [[b"c", b"d"], [b"e"]]


async def test_where_kafka_is_away_it_says_that_nothing_was_sent(settings: Settings) -> None:
    away = settings.model_copy(update={"kafka": "127.0.0.1:1"})
    with pytest.raises(OutcomeUnknown, match="Nothing was sent"):
        await addresses(away, timeout_s=0.3)


@pytest.mark.parametrize("error", [RuntimeError("the handler is closed"), asyncio.CancelledError()], ids=repr)
async def test_it_connects_again_whatever_a_try_ends_with(
    settings: Settings, scripted: Scripted, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    made = scripted([], [10, 20, 30])

    async def start(self: Producer) -> None:
        if self is made[0]:
            raise error

    monkeypatch.setattr(Producer, "start", start)
    assert await addresses(settings) == [10, 11, 20, 21, 30]
    assert made[0].closed == ["client"]


async def test_what_the_broker_will_never_take_is_told_at_once(settings: Settings, scripted: Scripted) -> None:
    scripted([TopicAuthorizationFailedError(), None, None])
    with pytest.raises(NotAccepted, match=r"agency\.health\.events: .*TopicAuthorizationFailedError"):
        await addresses(settings)


async def test_events_that_were_added_leave_when_the_publisher_is_closed(
    settings: Settings, scripted: Scripted
) -> None:
    made = scripted([7])
    heard: list[tuple[list[int], int]] = []
    async with AgencyPublisher(
        settings, "health", acknowledged=lambda tags, offset: heard.append((list(tags), offset))
    ) as publisher:
        await publisher.add(b"a", 41)
        await publisher.add(b"b", 43)
    assert made[0].sent == [[b"a", b"b"]]
    assert heard == [([41, 43], 7)]


async def test_adding_waits_while_too_much_is_unacknowledged(settings: Settings, scripted: Scripted) -> None:
    made = scripted([None] * 20)
    publisher = AgencyPublisher(settings, "health", delivery_timeout_s=0.05)
    with pytest.raises(OutcomeUnknown, match="the outcome of 18 events"):
        await publisher.publish([b"a"] * 40)
    assert len(made[0].sent) == 9


async def test_a_producer_that_cannot_stop_is_let_go_and_nobody_is_cancelled(
    settings: Settings, scripted: Scripted
) -> None:
    made = scripted([7])
    async with AgencyPublisher(settings, "health") as publisher:
        await publisher.publish([b"a"])
        made[0].stopping = asyncio.CancelledError()
    assert made[0].closed == ["client"]


@pytest.mark.parametrize(
    ("first", "error"), [(None, OutcomeUnknown), (TopicAuthorizationFailedError(), NotAccepted)], ids=str
)
async def test_after_an_error_the_same_events_can_be_published_again(
    settings: Settings, scripted: Scripted, first: Outcome, error: type[Exception]
) -> None:
    made = scripted([first, None, None], [first, None, None], [10, 20, 30])
    async with AgencyPublisher(settings, "health", delivery_timeout_s=0.05) as publisher:
        for _ in range(2):
            with pytest.raises(error):
                await publisher.publish(VALUES)
            await asyncio.sleep(0.06)
        assert [address.offset for address in await publisher.publish(VALUES)] == [10, 11, 20, 21, 30]
    assert made[2].sent == [[b"a", b"b"], [b"c", b"d"], [b"e"]], "once, and in order"


async def test_what_a_cancelled_call_left_is_sent_before_the_next_events(
    settings: Settings, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producers.publisher.kafka_publisher, "SEND_TIMEOUT_S", 0.02)
    made = scripted([None], [10, 11])
    async with AgencyPublisher(settings, "health", delivery_timeout_s=0.4) as publisher:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await publisher.publish([b"a"])
        await asyncio.sleep(0.4)
        assert [address.offset for address in await publisher.publish([b"b"])] == [11]
    assert made[1].sent == [[b"a"], [b"b"]]
