"""Sends the entries about an agency's campaigns to the agency's own topic: triggers, and what became of them.

Flows in: the rows that the campaigns consumer stores for entries about campaigns. Flows out: the entries' events,
verbatim and in log order, with the campaign's id as key. Each topic has its own position, and the sends to different
topics wait for each other nowhere: one that is slow or cannot be made holds up no other.

Sends each entry `campaign.triggered` to the common topic of campaign triggers, in log order.

Flows in: the rows that the campaigns consumer stores for entries about campaigns. Flows out: the entry's event,
verbatim, with the campaign's id as key. A trigger that is not in the log has no row and is not sent; a rebuild
recreates the rows but not the relay's position.

Sends messages to topics, each of which fails alone: with a producer of its own, and tried again later and later.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer

from events.wire.codec import STRUCTURED_HEADERS
from infra.clock import backoff_s
from infra.kafka.admin import KafkaRefused, admin_client, ensure_triggers_topic
from infra.kafka.client_config import PRODUCER_DURABLE, agency_triggers_topic, client_arguments
from infra.kafka.clients import abort_producer, acknowledged, send_batch, start_client
from infra.log.bundle import event_of
from infra.log.texts import shown_entries
from infra.observability.logs import first_line
from infra.observability.telemetry import count, gauge
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.process.leader_election import Term
from infra.process.reaction import Reaction, reaction_to
from infra.settings import Settings

BATCH_BYTES_MAX: Final = 100_000
"""Largest record batch: an agency's topic accepts 131,072 bytes."""
RETRY_WAIT_MAX_S: Final = 30.0
"""Longest wait until a topic that cannot be written is tried again."""

log = structlog.get_logger()
ROUTE: Final = "campaign-triggers"
"""The name of the position of the common topic; that of an agency's topic ends in `.` and its code."""
CHANNEL: Final = "yesser_campaigns"
"""NOTIFY: entries about campaigns were applied."""
ROWS_MISSING: Final = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)
"""The campaigns consumer has not run yet, or not in this release: it rebuilds rows of an earlier one."""
MESSAGES_MAX: Final = 1_000
"""Most rows read at once."""
OF_AN_AGENCY_MAX: Final = 200
"""Most of them for one agency."""
MAKING_MAX: Final = 4
"""Topics that are made at once: a new one without a leader is waited for."""

_SQL: Final = queries("consumers.relay", "triggers.sql")


@dataclass(frozen=True, slots=True)
class Message:
    """One record to send. `position` orders the messages of a source and identifies them for its `sent`."""

    position: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


@dataclass(slots=True)
class TopicSender:
    """Sends to one topic.

    After an error its producer is dropped with what it has not sent. The library would send that behind later messages,
    and refuses every further batch for a partition of which one has expired.
    """

    settings: Settings
    topic: str
    _producer: AIOKafkaProducer | None = field(default=None, init=False)

    async def send(self, messages: Sequence[Message]) -> None:
        """Send in record batches, one acknowledged before the next. An error leaves the outcome of the rest unknown."""
        try:
            producer = await self._started()
            batch = producer.create_batch()
            for message in messages:
                fields = {"key": message.key, "value": message.value, "headers": [*message.headers], "timestamp": None}
                if batch.append(**fields) is None:
                    await acknowledged(await acknowledged(send_batch(producer, batch, self.topic)))
                    batch = producer.create_batch()
                    batch.append(**fields)
            await acknowledged(await acknowledged(send_batch(producer, batch, self.topic)))
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await abort_producer(producer)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            self._producer = AIOKafkaProducer(
                **client_arguments(self.settings), **PRODUCER_DURABLE, max_batch_size=BATCH_BYTES_MAX
            )
            await start_client(self._producer)
        return self._producer


@dataclass(slots=True)
class UnwrittenTopics:
    """The topics that cannot be written now, in one term: the process's alarm names each, and the others are written.

    A topic is logged when it begins and when it ends. Where Kafka is away none can be written, so that until the first
    is written again only those are logged beside it that Kafka refuses.
    """

    settings: Settings
    show: Callable[[str | None], None]
    """Gets the alarm, or None."""
    _tries: dict[str, int] = field(default_factory=dict)
    _reasons: dict[str, str] = field(default_factory=dict)
    _logged: set[str] = field(default_factory=set)

    def failed(self, topic: str, error: Exception) -> float:
        """After how many seconds the topic is tried again. Raises the error if it is not of Kafka: it ends the term."""
        if not isinstance(error, KafkaRefused) and reaction_to(error) is not Reaction.RETRY:
            raise error
        tries = self._tries[topic] = self._tries.get(topic, 0) + 1
        self._reasons[topic] = f"{type(error).__name__}: {first_line(error)}"
        count("retries", process="relay")
        if tries == 1 and (not self._logged or isinstance(error, KafkaRefused)):
            self._logged.add(topic)
            log.warning("a topic cannot be written", topic=topic, reason=self._reasons[topic])
        gauge("topics_unwritten", 1, topic=topic)
        self._show()
        least_s = self.settings.retry_wait_min_ms / 1000
        return backoff_s(tries, random.random(), least_s, RETRY_WAIT_MAX_S)  # noqa: S311 - spreads waits, no secret

    def written(self, topic: str) -> None:
        """The topic has acknowledged."""
        if self._tries.pop(topic, None) is not None:
            del self._reasons[topic]
            if topic in self._logged:
                self._logged.remove(topic)
                log.warning("a topic is written again", topic=topic)
            gauge("topics_unwritten", 0, topic=topic)
            self._show()

    def end(self) -> None:
        """The term ends: the next one, here or elsewhere, finds out by itself."""
        for topic in self._tries:
            gauge("topics_unwritten", 0, topic=topic)
        self.show(None)

    def _show(self) -> None:
        waiting = [f"{topic} cannot be written ({reason})" for topic, reason in sorted(self._reasons.items())]
        remedy = "see that its brokers run, or run `yesser prepare`; the other topics are written"
        self.show(f"{'; '.join(waiting)}: {remedy}" if waiting else None)


class CampaignTriggers:
    """The source of campaign triggers: sent at least once, always with the same id."""

    channel: Final = CHANNEL

    def __init__(self, settings: Settings) -> None:
        self.topic = settings.triggers_topic

    async def unsent(self, connection: Connection, limit: int) -> list[Message]:
        """Triggers in the log that the topic has not acknowledged."""
        try:
            rows = await connection.fetch(_SQL["next"], ROUTE, limit)
        except ROWS_MISSING:
            return []
        return await messages_of(connection, [(index, campaign_id) for index, campaign_id in rows])

    async def sent(self, connection: Connection, messages: Sequence[Message], epoch: int) -> None:
        """Move the position, under the epoch."""
        await move(connection, ROUTE, messages[-1].position + 1, epoch)


async def messages_of(connection: Connection, entries: Sequence[tuple[int, str]]) -> list[Message]:
    """The messages of entries, given in log order with the ids of their campaigns: events with their texts, verbatim.
    Raises `ChangedEntry`."""
    raw = await shown_entries(connection, [index for index, _ in entries])
    events = {index: event_of(entry) for index, entry in raw}
    return [
        Message(index, campaign_id.encode(), events[index], (*STRUCTURED_HEADERS, ("index", b"%d" % index)))
        for index, campaign_id in entries
    ]


async def move(connection: Connection, route: str, next_index: int, epoch: int) -> None:
    """Move the position of a route forward; without effect if the relay of `epoch` was superseded."""
    await connection.execute(_SQL["sent"], route, next_index, epoch)


async def triggers_waiting(connection: Connection) -> int:
    """The number of triggers in the log that the common topic has not acknowledged."""
    try:
        number: int = await connection.fetchval(_SQL["waiting"], ROUTE)
    except ROWS_MISSING:
        return 0
    return number


@dataclass(slots=True)
class AgencyTopics:
    """One term of the relay's work for the agencies' topics. `looked` and `sent` are called in each round."""

    settings: Settings
    term: Term
    unwritten: UnwrittenTopics
    looked: Callable[[], None]
    sent: Callable[[], None]
    _senders: dict[str, TopicSender] = field(default_factory=dict)
    """By agency, whose topic then exists."""
    _sending: dict[str, asyncio.Task[int]] = field(default_factory=dict)
    _waiting: dict[str, float] = field(default_factory=dict)
    """Agencies whose topics cannot be written → when each is tried again, by the loop's clock."""
    _making: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAKING_MAX))

    async def run(self) -> None:
        """Until it is cancelled. An error that is not of a topic ends the term."""
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
                    self.sent()
            finally:
                for task in self._sending.values():
                    task.cancel()
                await asyncio.gather(*self._sending.values(), return_exceptions=True)
                await asyncio.gather(*(sender.aclose() for sender in self._senders.values()))

    async def _start_sending(self, connection: Connection) -> bool:
        """Begin to send what the topics lack that are not being sent to; returns whether there may be more."""
        now = asyncio.get_running_loop().time()
        waiting = {code for code, again in self._waiting.items() if now < again}
        unsent = await _unsent(connection, self._sending.keys() | waiting)
        for code, messages in unsent.items():
            self._sending[code] = asyncio.create_task(self._send(code, messages))
        return sum(map(len, unsent.values())) == MESSAGES_MAX

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
        """Move the positions of the topics that have acknowledged; those of the others stay."""
        for code in [code for code, task in self._sending.items() if task.done()]:
            task, topic = self._sending.pop(code), agency_triggers_topic(self.settings, code)
            try:
                next_index = task.result()
            except Exception as error:
                self._waiting[code] = asyncio.get_running_loop().time() + self.unwritten.failed(topic, error)
                continue
            self._waiting.pop(code, None)
            self.unwritten.written(topic)
            await move(connection, f"{ROUTE}.{code}", next_index, self.term.epoch)

    async def _send(self, code: str, messages: Sequence[Message]) -> int:
        """Send in order; returns the index after the last one, which the topic has acknowledged."""
        sender = self._senders.pop(code, None)
        if sender is None:
            async with self._making, admin_client(self.settings) as admin:
                await ensure_triggers_topic(admin, code, self.settings)
            sender = TopicSender(self.settings, agency_triggers_topic(self.settings, code))
        await sender.send(messages)
        self._senders[code] = sender
        count("campaign_entries_sent", len(messages))
        return messages[-1].position + 1


async def _unsent(connection: Connection, but_for: Collection[str]) -> dict[str, list[Message]]:
    """Agency → the next messages of its topic, in order, but for these agencies."""
    try:
        rows = await connection.fetch(_SQL["next_of_agencies"], [*but_for], f"{ROUTE}.", OF_AN_AGENCY_MAX, MESSAGES_MAX)
    except ROWS_MISSING:
        return {}
    by_owner: dict[str, list[Message]] = defaultdict(list)
    messages = await messages_of(connection, [(row["index"], row["campaign_id"]) for row in rows])
    for row, message in zip(rows, messages, strict=True):
        by_owner[row["owner"]].append(message)
    return by_owner
