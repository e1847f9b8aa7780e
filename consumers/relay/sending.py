"""Sends messages to topics, each of which fails alone: with a producer of its own, and tried again later and later."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer

from infra.backoff import backoff_s
from infra.kafka.admin import KafkaRefused
from infra.kafka.client_config import PRODUCER_DURABLE, client_arguments
from infra.kafka.clients import abort_producer, acknowledged, send_batch, start_client
from infra.observability.logs import first_line
from infra.observability.telemetry import count, gauge
from infra.process.reaction import Reaction, reaction_to
from infra.settings import Settings

BATCH_BYTES_MAX: Final = 100_000
"""Largest record batch: an agency's topic accepts 131,072 bytes."""
RETRY_WAIT_MAX_S: Final = 30.0
"""Longest wait until a topic that cannot be written is tried again."""

log = structlog.get_logger()


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
