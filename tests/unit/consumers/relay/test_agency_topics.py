"""When the relay's wait is over: once every topic that has something to send was acknowledged, not just any of them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import asynccontextmanager
from typing import Any

import pytest

from consumers.relay import agency_topics
from consumers.relay.agency_topics import AgencyTopics
from consumers.relay.outbox_source import Message
from infra.kafka.admin import KafkaRefused
from infra.kafka.client_config import agency_triggers_topic
from infra.kafka.clients import NotAcknowledged
from infra.process.leader_election import Parts, Term
from infra.settings import Settings

SETTINGS = Settings(lease_renew_ms=20)
MESSAGE = Message(7, b"key", b"value", ())


class Connection:
    async def add_listener(self, *_: object) -> None: ...

    async def close(self, **_: object) -> None: ...


@pytest.fixture
def unsent(monkeypatch: pytest.MonkeyPatch) -> dict[str, Exception | None]:
    """Agency → what its topic answers to one message; none is left of one that was acknowledged."""
    answers: dict[str, Exception | None] = {}

    async def next_messages(_: Any, but_for: Collection[str]) -> dict[str, list[Message]]:
        return {code: [MESSAGE] for code in answers if code not in but_for}

    async def send(_: object, topic: str, __: object) -> None:
        code = next(code for code in answers if topic == agency_triggers_topic(SETTINGS, code))
        if (error := answers[code]) is not None:
            await asyncio.sleep(0.05)  # later than the other topic acknowledges
            raise error

    async def move(_: object, route: str, *__: object) -> None:
        del answers[route.rpartition(".")[2]]

    async def connect(*_: object) -> Any:
        return Connection()

    async def ensure(*_: object) -> None: ...

    @asynccontextmanager
    async def admin(_: object) -> Any:
        yield None

    monkeypatch.setattr(agency_topics, "_unsent", next_messages)
    monkeypatch.setattr(agency_topics, "send", send)
    monkeypatch.setattr(agency_topics, "move", move)
    monkeypatch.setattr(agency_topics, "connect", connect)
    monkeypatch.setattr(agency_topics, "admin_client", admin)
    monkeypatch.setattr(agency_topics, "ensure_triggers_topic", ensure)
    return answers


async def a_term(parts: Parts) -> None:
    """Until a send fails, or some rounds were good."""
    producer: Any = None
    agencies = AgencyTopics(SETTINGS, Term(1, asyncio.Event()), producer, lambda: None, lambda: parts.ended("agencies"))
    async with asyncio.timeout(0.3):
        await parts.run("agencies", agencies.run)


async def test_a_wait_goes_on_while_one_topic_fails_and_others_acknowledge(
    unsent: dict[str, Exception | None],
) -> None:
    moved: list[bool] = []
    parts = Parts(lambda: moved.append(True))
    for _ in range(3):
        unsent |= {"health": NotAcknowledged("away"), "interior": None}
        with pytest.raises(NotAcknowledged):
            await a_term(parts)
        assert "interior" not in unsent, "it is held up by nothing"
    assert moved == []
    unsent["health"] = None
    with pytest.raises(TimeoutError):
        await a_term(parts)
    assert moved


@pytest.mark.parametrize("refusal", [None, KafkaRefused("no")], ids=["nothing more to send", "refused"])
async def test_a_topic_that_is_no_longer_sent_to_keeps_no_wait(
    unsent: dict[str, Exception | None], refusal: Exception | None
) -> None:
    moved: list[bool] = []
    parts = Parts(lambda: moved.append(True))
    unsent["health"] = NotAcknowledged("away")
    with pytest.raises(NotAcknowledged):
        await a_term(parts)
    assert moved == []
    del unsent["health"]
    if refusal is not None:
        unsent["health"] = refusal
    with pytest.raises(TimeoutError):
        await a_term(parts)
    assert moved
