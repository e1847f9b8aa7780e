"""The peer in Python: FastStream, with a transaction per event and per batch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import orjson
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka import TopicPartition as SubscribedPartition
from pydantic import ValidationError

from events.types.catalogue import CATALOGUE
from events.validation.models import event_model
from events.wire.envelope import full_type
from infra.kafka.client_config import client_arguments
from infra.postgres.connection import create_pool
from infra.settings import Settings
from producers.sdk.faststream_events import security_of

BATCH: Final = 1_000
TABLE: Final = "CREATE TABLE IF NOT EXISTS public.bench_event (id text PRIMARY KEY, type text, data jsonb)"
ROW: Final = "INSERT INTO public.bench_event VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
ROWS: Final = (
    "INSERT INTO public.bench_event SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[]) ON CONFLICT DO NOTHING"
)


@dataclass(slots=True)
class PeerResult:
    """Events per second, and microseconds of processor time of this process per event."""

    rate: float
    processor_us: float


async def event_by_event(settings: Settings, topics: Sequence[str], events: int, limit_s: float) -> PeerResult:
    """FastStream as its first page shows it: a handler call and a transaction per event."""
    handled = Handled(events)
    async with _subscribing(settings) as (broker, pool):

        @broker.subscriber(
            partitions=_partitions(topics), auto_offset_reset="earliest", ack_policy=AckPolicy.MANUAL
        )  # fmt: skip
        async def handle(message: KafkaMessage) -> None:
            row = _row(message.body)
            if row is not None:
                async with pool.acquire() as connection, connection.transaction():
                    await connection.execute(ROW, *row)
            handled.add(1)

        return await handled.measured(broker, limit_s)


async def batch_by_batch(settings: Settings, topics: Sequence[str], events: int, limit_s: float) -> PeerResult:
    """FastStream with `batch=True`: a handler call and a transaction per batch, one statement for its rows."""
    handled = Handled(events)
    async with _subscribing(settings) as (broker, pool):

        @broker.subscriber(
            partitions=_partitions(topics), auto_offset_reset="earliest", ack_policy=AckPolicy.MANUAL,
            batch=True, max_records=BATCH,
        )  # fmt: skip
        async def handle(message: KafkaMessage) -> None:
            bodies: Any = message.body
            rows = [row for row in map(_row, bodies) if row is not None]
            if rows:
                async with pool.acquire() as connection, connection.transaction():
                    await connection.execute(ROWS, *map(list, zip(*rows, strict=True)))
            handled.add(len(bodies))

        return await handled.measured(broker, limit_s)


class Handled:
    """Counts what a handler has done."""

    def __init__(self, events: int) -> None:
        self._events, self._done = events, 0
        self._begun, self._ended = asyncio.Event(), asyncio.Event()

    def add(self, count: int) -> None:
        self._done += count
        self._begun.set()
        if self._done >= self._events:
            self._ended.set()

    async def measured(self, broker: KafkaBroker, limit_s: float) -> PeerResult:
        """From the first event handled to the last one, or for so many seconds."""
        await broker.start()
        await self._begun.wait()
        first, started, before = self._done, time.perf_counter(), time.process_time()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._ended.wait()
        return _result(self._done - first, started, before)


MODELS: Final = {full_type(name): event_model(name) for name in CATALOGUE}


def _row(body: bytes) -> tuple[str, str, Any] | None:
    """What is stored of an event; None where the type's model finds a fault in it."""
    try:
        event = orjson.loads(body)
        MODELS[event["type"]].model_validate(event)
    except (ValidationError, ValueError, KeyError):
        return None
    return event["id"], event["type"], event["data"]


@asynccontextmanager
async def _subscribing(settings: Settings) -> AsyncIterator[tuple[KafkaBroker, asyncpg.Pool]]:
    """A broker and a pool of connections to an empty table."""
    arguments = client_arguments(settings)
    broker = KafkaBroker(
        arguments["bootstrap_servers"],
        security=security_of(arguments),
        logger=None,
        allow_auto_create_topics=False,
        consumer_only=True,
    )
    pool = await create_pool(settings, "bench")
    try:
        await pool.execute(TABLE)
        await pool.execute("TRUNCATE public.bench_event")
        yield broker, pool
    finally:
        await broker.stop()
        await pool.close()


def _partitions(topics: Sequence[str]) -> list[SubscribedPartition]:
    return [SubscribedPartition(topic, partition=0, declare=False) for topic in topics]


def _result(events: int, started: float, before: float) -> PeerResult:
    processor_s = time.process_time() - before
    return PeerResult(events / (time.perf_counter() - started), 1e6 * processor_s / max(events, 1))
