"""With short sessions on Kafka a replaced password soon ends the connections that were opened with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from infra.kafka.admin import admin_client, allow_agency, create_scram_user
from infra.kafka.clients import abort_producer, raw_client
from infra.secret_files import password
from infra.settings import Settings
from tests.integration.infra.conftest import SESSION_S
from tests.scenarios.figures import tell
from tests.stack import TestStack, corner
from tests.world.registrars import found
from tests.world.senders import start_producer
from tests.world.topics import HEALTH_TOPIC

STILL_OPEN_S = 10.0
pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("short_sessions"), pytest.mark.timeout(240)]


@pytest.fixture
async def own(short_sessions: TestStack, tmp_path: Path) -> AsyncIterator[Settings]:
    async with corner(short_sessions, tmp_path / "home") as settings:
        yield settings


async def test_a_producer_whose_password_was_replaced_cannot_send_after_its_session(own: Settings) -> None:
    await found(own, "health")
    async with admin_client(own) as admin:
        await allow_agency(admin, own, "health", password(own.home / "secrets" / "agency-health", "kafka"))
    producer = await start_producer(own, "agency-health")
    try:
        before = await producer.send_and_wait(HEALTH_TOPIC, b"before")
        async with admin_client(own) as admin:
            await create_scram_user(raw_client(admin), "agency-health", "another-password-of-the-agency")
        ended_s = await until_not_acknowledged(producer, before.timestamp)
        tell(f"a replaced password: the last acknowledgement came after {ended_s:.1f} s; sessions of {SESSION_S} s")
        assert ended_s < SESSION_S + 1
        with pytest.raises(KafkaError):
            await start_producer(own, "agency-health")
    finally:
        await abort_producer(producer)


async def until_not_acknowledged(producer: AIOKafkaProducer, since_ms: int) -> float:
    """Send until Kafka acknowledges no more; how long it did, by its own clock."""
    last_ms = since_ms
    while last_ms - since_ms < 1_000 * STILL_OPEN_S:
        try:
            async with asyncio.timeout(SESSION_S + 1):
                last_ms = (await producer.send_and_wait(HEALTH_TOPIC, b"after")).timestamp
        except (KafkaError, TimeoutError):
            break
        await asyncio.sleep(0.1)
    return (last_ms - since_ms) / 1_000
