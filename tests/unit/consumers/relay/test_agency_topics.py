"""The agencies' topics: one that cannot be written fails alone, keeps its position, and is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.errors import TopicAuthorizationFailedError
from structlog.testing import capture_logs

from consumers.relay import agency_topics
from consumers.relay.agency_topics import AgencyTopics, Message, TopicSender, UnwrittenTopics
from infra.kafka.admin import KafkaRefused
from infra.kafka.client_config import agency_triggers_topic
from infra.kafka.clients import NotAcknowledged
from infra.process.leader_election import Term
from infra.settings import Settings
from tests.every import every
from tests.virtual_time import virtual

SETTINGS = Settings(lease_renew_ms=20, retry_wait_min_ms=1)
MESSAGE = Message(7, b"key", b"value", ())


class Connection:
    async def add_listener(self, *_: object) -> None: ...


class Kafka:
    """Agency → what its topic answers to one message; none is left of one that was acknowledged."""

    def __init__(self) -> None:
        self.answers: dict[str, Exception | None] = {}
        self.alarms: list[str | None] = []
        self.made: list[str] = []

    async def next_messages(self, _: Any, but_for: Collection[str]) -> dict[str, list[Message]]:
        return {code: [MESSAGE] for code in self.answers if code not in but_for}

    async def send(self, topic: str) -> None:
        if (error := self.answers[topic.rpartition(".")[2]]) is not None:
            raise error

    async def move(self, _: object, route: str, *__: object) -> None:
        del self.answers[route.rpartition(".")[2]]

    async def until_sent(self, *codes: str) -> None:
        async with asyncio.timeout(10):
            while self.answers.keys() & set(codes):  # noqa: ASYNC110
                await asyncio.sleep(0.001)


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    found = Kafka()

    async def ensure(_: object, code: str, __: object) -> None:
        found.made.append(code)

    @asynccontextmanager
    async def nothing(*_: object) -> AsyncIterator[Any]:
        yield Connection()

    monkeypatch.setattr(agency_topics, "_unsent", found.next_messages)
    monkeypatch.setattr(agency_topics, "move", found.move)
    monkeypatch.setattr(agency_topics, "admin_client", nothing)
    monkeypatch.setattr(agency_topics, "ensure_triggers_topic", ensure)
    monkeypatch.setattr(TopicSender, "send", lambda sender, _: found.send(sender.topic))
    monkeypatch.setattr(Term, "connected", nothing)
    return found


@asynccontextmanager
async def running(kafka: Kafka) -> AsyncIterator[asyncio.Task[None]]:
    unwritten = UnwrittenTopics(SETTINGS, kafka.alarms.append)
    agencies = AgencyTopics(SETTINGS, Term(1, asyncio.Event()), unwritten, lambda: None, lambda: None)
    task = asyncio.create_task(agencies.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@every("error", [NotAcknowledged("no leader"), KafkaRefused("no"), TopicAuthorizationFailedError(), ConnectionError()])
@virtual
async def test_a_topic_that_cannot_be_written_ends_no_term_and_holds_up_no_other(
    kafka: Kafka, error: Exception
) -> None:
    kafka.answers, kafka.made = {"health": error, "interior": None}, []
    topic = agency_triggers_topic(SETTINGS, "health")
    with capture_logs() as lines:
        async with running(kafka) as term:
            await kafka.until_sent("interior")
            for _ in range(3):
                kafka.answers["interior"] = None
                await kafka.until_sent("interior")
            assert not term.done()
            assert kafka.answers == {"health": error}, "its position stays"
            assert kafka.alarms[-1] is not None
            assert kafka.alarms[-1].startswith(f"{topic} cannot be written ({type(error).__name__}")

            kafka.answers["health"] = None
            await kafka.until_sent("health")
            assert not term.done()
    assert kafka.alarms[-1] is None
    said = [(line["event"], line["topic"]) for line in lines if line["log_level"] == "warning"]
    assert said == [("a topic cannot be written", topic), ("a topic is written again", topic)]
    assert kafka.made.count("interior") == 1
    assert kafka.made.count("health") > 1, "it may have been deleted: it is made again where it is gone"


@virtual
async def test_a_bug_ends_the_term(kafka: Kafka) -> None:
    kafka.answers = {"health": ZeroDivisionError()}
    async with running(kafka) as term:
        with pytest.raises(ZeroDivisionError):
            await term


def test_a_topic_is_tried_again_later_and_later_but_at_least_each_half_minute() -> None:
    unwritten, error = UnwrittenTopics(Settings(), lambda _: None), NotAcknowledged("no leader")
    waits = [unwritten.failed("a", error) for _ in range(40)]
    assert waits[0] <= 0.1
    assert all(15 <= wait <= 30 for wait in waits[20:])
    unwritten.written("a")
    assert [unwritten.failed(topic, error) <= 0.1 for topic in "ba"] == [True, True], "each by itself, and anew"


def test_where_kafka_is_away_one_line_is_enough_and_the_alarm_names_each_topic() -> None:
    alarms: list[str | None] = []
    unwritten = UnwrittenTopics(SETTINGS, alarms.append)
    with capture_logs() as lines:
        for topic in ("a", "b", "a"):
            unwritten.failed(topic, NotAcknowledged("no leader"))
        unwritten.failed("c", KafkaRefused("no rights"))
        assert alarms[-1] is not None
        assert all(f"{topic} cannot be written" in alarms[-1] for topic in ("a", "b", "c"))
        for topic in ("b", "a", "c"):
            unwritten.written(topic)
    assert alarms[-1] is None
    said = [(line["event"], line["topic"]) for line in lines]
    begins, ends = "a topic cannot be written", "a topic is written again"
    assert said == [(begins, "a"), (begins, "c"), (ends, "a"), (ends, "c")]
