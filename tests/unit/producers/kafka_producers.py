"""Kafka producers whose answers a test chooses, and events of which three fill a batch."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, TypeAlias

from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecord, DefaultRecordBatch

from infra.settings import Settings

Outcome: TypeAlias = int | BaseException | None
"""The offset of a batch's first record, an error, or None for no answer."""
NOWHERE = Settings(kafka="127.0.0.1:1", kafka_security="PLAINTEXT")


def event(name: str) -> bytes:
    return name.encode() * 40_000


def events(names: str) -> list[bytes]:
    return [event(name) for name in names]


@dataclass
class Producer:
    """Answers its batches by the script, in order; then each is stored after the one before."""

    kafka: Kafka
    batch_bytes_max: int
    script: list[Outcome]
    batches: list[list[DefaultRecord]] = field(default_factory=list)
    unanswered: list[asyncio.Future[Any]] = field(default_factory=list)
    stop_error: BaseException | None = None
    without_metadata: str = ""
    is_closed: bool = False
    next_offset: int = 0
    _sender: None = None

    @property
    def client(self) -> Any:
        plain = {"_ssl_context": None, "_security_protocol": "PLAINTEXT"}
        return SimpleNamespace(close=self._close, add_topic=lambda topic: None, _conns={}, **plain)

    @property
    def sent(self) -> list[str]:
        """The names of the events of each batch."""
        return ["".join(chr(record.value[0]) for record in batch) for batch in self.batches]

    def acknowledge(self, offset: int) -> None:
        """Answer the batch that waits longest."""
        self.unanswered.pop(0).set_result(SimpleNamespace(offset=offset))
        self.next_offset = offset + 1

    async def start(self) -> None:
        if self.kafka.never_starts:
            await asyncio.Event().wait()
        if self.kafka.start_errors:
            raise self.kafka.start_errors.pop(0)
        self.script += self.kafka.scripts.pop(0) if self.kafka.scripts else []

    async def stop(self) -> None:
        if self.stop_error is not None:
            raise self.stop_error

    async def _close(self) -> None:
        self.is_closed = True

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(self.batch_bytes_max, 0)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[Any]:
        if topic == self.without_metadata:  # as the library waits once its own metadata task has ended
            await asyncio.Event().wait()
        self.batches.append(list(DefaultRecordBatch(batch._build())))
        outcome = self.script.pop(0) if self.script else self.next_offset
        if isinstance(outcome, BaseException) and not isinstance(outcome, KafkaError):
            raise outcome
        acknowledgement: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if isinstance(outcome, KafkaError):
            acknowledgement.set_exception(outcome)
        elif outcome is None:
            self.unanswered.append(acknowledgement)
        else:
            acknowledgement.set_result(SimpleNamespace(offset=outcome))
            self.next_offset = outcome + len(self.batches[-1])
        return acknowledgement


@dataclass
class Kafka:
    """Makes producers: each of `start_errors` ends a start; those that start follow one script each."""

    scripts: list[list[Outcome]] = field(default_factory=list)
    start_errors: list[BaseException] = field(default_factory=list)
    never_starts: bool = False
    producers: list[Producer] = field(default_factory=list)

    def producer(self, *, max_batch_size: int, **_: Any) -> Any:
        self.producers.append(Producer(self, max_batch_size, []))
        return self.producers[-1]
