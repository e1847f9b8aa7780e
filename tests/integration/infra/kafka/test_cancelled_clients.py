"""A client that is cancelled while it starts or stops leaves no connection open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from infra.kafka.admin import admin_client
from infra.kafka.client_config import PRODUCER_DURABLE, client_arguments
from infra.kafka.clients import abort_producer, start_client, stop_consumer
from infra.settings import Settings
from tests.every import every
from tests.world.waits import until

STEP_S = 0.006
STEPS = 12


async def consume(settings: Settings) -> None:
    consumer = AIOKafkaConsumer(**client_arguments(settings), enable_auto_commit=False)
    try:
        await start_client(consumer)
    finally:
        await stop_consumer(consumer)


async def produce(settings: Settings) -> None:
    producer = AIOKafkaProducer(**client_arguments(settings), **PRODUCER_DURABLE)
    try:
        await start_client(producer)
    finally:
        await abort_producer(producer)


async def administer(settings: Settings) -> None:
    async with admin_client(settings) as admin:
        await admin.list_topics()


def connections(settings: Settings) -> int:
    """Open connections of this process to the broker."""
    port = int(str(settings.kafka).rpartition(":")[2])
    found = psutil.Process().net_connections("tcp")
    return sum(1 for one in found if one.raddr and one.raddr.port == port and one.status == psutil.CONN_ESTABLISHED)


@every("work", [consume, produce, administer])
async def test_a_client_that_is_cancelled_at_any_moment_closes_its_connections(
    settings: Settings, work: Callable[[Settings], Coroutine[Any, Any, None]]
) -> None:
    before = connections(settings)
    for step in range(STEPS):
        for again in (False, True):
            task = asyncio.create_task(work(settings))
            await asyncio.sleep(step * STEP_S)
            task.cancel()
            if again:  # while it closes what it had opened
                await asyncio.sleep(0.001)
                task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    await until(lambda: connections(settings) <= before, "no connection is left open", 1)
