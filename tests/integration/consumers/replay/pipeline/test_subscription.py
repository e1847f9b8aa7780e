"""What arrives in the pause after a small read is handed over together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka import ConsumerRecord

from consumers.replay.pipeline.log_feed import receive
from infra.settings import Settings
from tests.world.topics import send

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("log_topics")]


async def test_records_that_come_one_by_one_are_handed_over_together_after_a_pause(settings: Settings) -> None:
    handed: asyncio.Queue[list[bytes]] = asyncio.Queue()
    all_sent = asyncio.Event()

    async def position() -> int | None:
        return None

    async def handle(records: Sequence[ConsumerRecord]) -> None:
        handed.put_nowait([record.value for record in records])
        await all_sent.wait()

    reading = asyncio.create_task(receive(settings, position, handle))
    try:
        async with asyncio.timeout(20):
            await send(settings, settings.log_topic, b"alone")
            assert await handed.get() == [b"alone"]
            for value in (b"1", b"2", b"3"):
                await send(settings, settings.log_topic, value)
            all_sent.set()
            assert await handed.get() == [b"1", b"2", b"3"]
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
