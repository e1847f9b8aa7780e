"""The peers in the same run: reading alone (the ceiling), and one transaction per event (the obvious way)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka import TopicPartition as SubscribedPartition
from faststream.security import SASLScram512

from infra.kafka.client_config import client_arguments
from infra.postgres.connection import create_pool
from infra.settings import Settings


async def ceiling(settings: Settings, topics: list[str], events: int) -> float:
    """(a) aiokafka's `getmany` over the same topics, and nothing else; events per second."""
    consumer = AIOKafkaConsumer(
        **client_arguments(settings),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=settings.fetch_bytes_max,
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0) for topic in topics])
        read, started = 0, time.perf_counter()
        while read < events:
            found = await consumer.getmany(timeout_ms=1000)
            read += sum(map(len, found.values()))
        return read / (time.perf_counter() - started)
    finally:
        await consumer.stop()


async def obvious(settings: Settings, topic: str, seconds: float) -> float:
    """(b) one FastStream handler call and one transaction per event, for `seconds`; events per second."""
    arguments = client_arguments(settings)
    broker = KafkaBroker(
        arguments["bootstrap_servers"],
        security=SASLScram512(arguments["sasl_plain_username"], arguments["sasl_plain_password"], use_ssl=False),
        logger=None,
        allow_auto_create_topics=False,
        consumer_only=True,
    )
    pool = await create_pool(settings, "bench")
    await pool.execute("CREATE TABLE IF NOT EXISTS public.bench_obvious (id text PRIMARY KEY, type text, data jsonb)")
    await pool.execute("TRUNCATE public.bench_obvious")
    handled = 0
    begun = asyncio.Event()

    @broker.subscriber(
        partitions=[SubscribedPartition(topic, partition=0, declare=False)],
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.MANUAL,
    )
    async def handle(message: KafkaMessage) -> None:
        nonlocal handled
        event: dict[str, Any] = orjson.loads(message.body)
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO public.bench_obvious VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                event["id"],
                event["type"],
                event["data"],
            )
        handled += 1
        begun.set()

    await broker.start()
    try:
        await begun.wait()
        before, started = handled, time.perf_counter()
        await asyncio.sleep(seconds)
        return (handled - before) / (time.perf_counter() - started)
    finally:
        await broker.stop()
        await pool.close()
