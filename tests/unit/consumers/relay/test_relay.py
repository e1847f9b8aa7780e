"""The relay: a topic that cannot be written keeps no other from being written, and no commitment from being made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest

from consumers.relay import relay as module
from consumers.relay.agency_topics import Message, TopicSender
from consumers.relay.relay import PlatformOutbox, Relay
from infra.kafka.clients import NotAcknowledged
from infra.process.leader_election import Term
from infra.settings import Settings
from tests.virtual_time import virtual


class Source:
    """A source with one message after another."""

    channel = "news"
    position = 0

    def __init__(self, topic: str) -> None:
        self.topic = topic

    async def unsent(self, *_: object) -> list[Message]:
        return [Message(self.position, b"key", b"value", ())]

    async def sent(self, _: object, messages: Sequence[Message], __: int) -> None:
        self.position = messages[-1].position + 1


class Steady:
    """Commitments, witnesses, or the agencies' topics, which have nothing to do with this."""

    def __init__(self, *_: object) -> None: ...

    async def run(self) -> None:
        await asyncio.Event().wait()


@virtual
async def test_a_topic_without_a_leader_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    away, tries = {"triggers"}, list[str]()

    async def send(sender: TopicSender, _: object) -> None:
        tries.append(sender.topic)
        await asyncio.sleep(0)
        if sender.topic in away:
            raise NotAcknowledged("no leader")

    @asynccontextmanager
    async def connected(*_: Any) -> AsyncIterator[AsyncMock]:
        yield AsyncMock()

    for name in ("CommitmentScheduler", "Cosigning", "AgencyTopics"):
        monkeypatch.setattr(module, name, Steady)
    monkeypatch.setattr(module, "require_whole_log", AsyncMock())
    monkeypatch.setattr(TopicSender, "send", send)
    monkeypatch.setattr(Term, "connected", connected)
    relay = Relay(Settings(home=tmp_path, retry_wait_min_ms=1, lease_renew_ms=1))
    outbox, triggers = Source("platform"), Source("triggers")
    relay.sources = (outbox, triggers)  # type: ignore[assignment]
    stop = asyncio.Event()
    term = asyncio.create_task(relay._work(Term(1, stop)))

    async def until_sent(source: Source, number: int) -> None:
        async with asyncio.timeout(10):
            while source.position < number:
                assert not term.done(), term
                await asyncio.sleep(0.001)

    await until_sent(outbox, 20)
    assert triggers.position == 0
    assert tries.count("triggers") > 1, "it is tried again"
    state = relay.readiness()
    assert not state.ready
    assert str(state.details["halted"]).startswith("triggers cannot be written (NotAcknowledged: no leader): ")
    away.clear()
    await until_sent(triggers, 3)
    assert relay.readiness().ready
    away.add("triggers")
    await until_sent(outbox, outbox.position + 10)
    stop.set()
    await term
    assert relay.readiness().ready, "another may be the one that sends now"


@virtual
async def test_held_decisions_are_counted_once_a_second() -> None:
    times, seen = iter([100.0, 100.1, 100.9, 101.0, 101.5, 103.0]), []
    empty: Any = MagicMock(fetch=AsyncMock(return_value=[]), fetchval=AsyncMock(side_effect=[1, 2, 3]))
    outbox = PlatformOutbox(lambda: next(times))
    for _ in range(6):
        await outbox.unsent(empty, 10)
        seen.append(outbox.held_count)
    assert seen == [1, 1, 1, 2, 2, 3]
