"""Sends the entries about an agency's campaigns to the agency's own topic: triggers, and what became of them.

Flows in: the rows that the campaigns consumer stores for entries about campaigns. Flows out: the entries' events,
verbatim and in log order, with the campaign's id as key. Each topic has its own position, and the sends to different
topics wait for each other nowhere: one that is slow or cannot be made holds up no other.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError

from consumers.relay.outbox_source import Message
from consumers.relay.sending import send
from consumers.relay.triggers import CHANNEL, ROUTE, ROWS_MISSING, messages_of, move
from infra.kafka.admin import KafkaRefused, admin_client, ensure_triggers_topic
from infra.kafka.client_config import agency_triggers_topic
from infra.observability.telemetry import count
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.process.leader_election import Term
from infra.settings import Settings

MESSAGES_MAX: Final = 1_000
"""Most rows read at once."""
OF_AN_AGENCY_MAX: Final = 200
"""Most of them for one agency."""
TRY_AGAIN_S: Final = 30.0
"""After Kafka refused to make a topic, or to write to it."""

_SQL: Final = queries("consumers.relay", "triggers.sql")

log = structlog.get_logger()


@dataclass(slots=True)
class AgencyTopics:
    """One term of the relay's work for the agencies' topics.

    `looked` is called in each round, `sent` in one in which no topic waits for its first acknowledgement of the term:
    one that acknowledges says nothing about one that cannot be written.
    """

    settings: Settings
    term: Term
    producer: AIOKafkaProducer
    looked: Callable[[], None]
    sent: Callable[[], None]
    _sending: dict[str, asyncio.Task[int]] = field(default_factory=dict)
    _acknowledged: set[str] = field(default_factory=set)
    """The agencies whose topics have acknowledged in this term."""
    _ready: set[str] = field(default_factory=set)
    """The agencies whose topics exist."""
    _refused: dict[str, float] = field(default_factory=dict)
    """Agency → when it is tried again, by the loop's clock."""
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> None:
        """Until it is cancelled. An error ends the term."""
        async with self.term.connected(self.settings, "relay agencies") as connection:
            woken = asyncio.Event()
            try:
                await connection.add_listener(CHANNEL, lambda *_: woken.set())
                while True:
                    woken.clear()
                    more = await self._start_sending(connection)
                    self.looked()
                    if not more:
                        await self._wait(woken)
                    await self._note_sent(connection)
                    if not more and self._sending.keys() <= self._acknowledged:
                        self.sent()
            finally:
                for task in self._sending.values():
                    task.cancel()
                await asyncio.gather(*self._sending.values(), return_exceptions=True)

    async def _start_sending(self, connection: Connection) -> bool:
        """Begin to send what the topics lack that are not being sent to; returns whether there may be more."""
        now = asyncio.get_running_loop().time()
        refused = {code for code, again in self._refused.items() if now < again}
        found = await _unsent(connection, self._sending.keys() | refused)
        for code, messages in found.items():
            self._sending[code] = asyncio.create_task(self._send(code, messages))
        return sum(map(len, found.values())) == MESSAGES_MAX

    async def _wait(self, woken: asyncio.Event) -> None:
        """Until new rows are announced, a send has ended, or it is time to look."""
        waking = asyncio.ensure_future(woken.wait())
        try:
            await asyncio.wait(
                {waking, *self._sending.values()},
                timeout=self.settings.lease_renew_ms / 1000,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            waking.cancel()

    async def _note_sent(self, connection: Connection) -> None:
        """Move the positions of the topics that have acknowledged. Raises the error of a send that failed."""
        for code in [code for code, task in self._sending.items() if task.done()]:
            task = self._sending.pop(code)
            try:
                next_index = task.result()
            except (KafkaRefused, TopicAuthorizationFailedError) as error:
                self._refuse(code, error)
                continue
            if self._refused.pop(code, None) is not None:
                log.warning("an agency's topic of campaign entries is written again", agency=code)
            await move(connection, f"{ROUTE}.{code}", next_index, self.term.epoch)
            self._acknowledged.add(code)

    def _refuse(self, code: str, error: Exception) -> None:
        if code not in self._refused:
            topic = agency_triggers_topic(self.settings, code)
            log.warning("a topic cannot be written, others are: run `yesser prepare`", topic=topic, error=str(error))
        self._refused[code] = asyncio.get_running_loop().time() + TRY_AGAIN_S

    async def _send(self, code: str, messages: Sequence[Message]) -> int:
        """Send in order; returns the index after the last one, which the topic has acknowledged."""
        if code not in self._ready:
            async with self._making, admin_client(self.settings) as admin:
                await ensure_triggers_topic(admin, code, self.settings)
            self._ready.add(code)
        await send(self.producer, agency_triggers_topic(self.settings, code), messages)
        count("campaign_entries_sent", len(messages))
        return messages[-1].position + 1


async def _unsent(connection: Connection, but_for: Collection[str]) -> dict[str, list[Message]]:
    """Agency → the next messages of its topic, in order, but for these agencies."""
    try:
        rows = await connection.fetch(_SQL["next_of_agencies"], [*but_for], f"{ROUTE}.", OF_AN_AGENCY_MAX, MESSAGES_MAX)
    except ROWS_MISSING:
        return {}
    found: dict[str, list[Message]] = defaultdict(list)
    messages = await messages_of(connection, [(row["index"], row["campaign_id"]) for row in rows])
    for row, message in zip(rows, messages, strict=True):
        found[row["owner"]].append(message)
    return found
