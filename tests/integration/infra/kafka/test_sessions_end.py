"""With short sessions on Kafka the platform loses nothing and starts nothing again, and a replaced password soon ends
the connections that were opened with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from structlog.testing import capture_logs

from consumers.replay.pipeline.pipeline import Pipeline
from events.wire.codec import STRUCTURED_HEADERS
from infra.kafka.admin import admin_client, allow_agency, create_scram_user
from infra.kafka.clients import abort_producer, raw_client
from infra.log.reader import log_size
from infra.postgres.connection import Connection, connected
from infra.secret_files import password
from infra.settings import Settings
from tests.integration.consumers.replay.pipeline.counting import COUNTING
from tests.integration.infra.conftest import SESSION_S
from tests.scenarios.figures import tell
from tests.stack import TestStack, corner
from tests.world.records import said
from tests.world.registrars import found, registrar, until_shipped, until_size
from tests.world.senders import start_producer
from tests.world.topics import HEALTH_TOPIC
from tests.world.waits import running, until

STILL_OPEN_S = 10.0
PER_S, FOR_S = 1_000, 3 * SESSION_S + 1
GAPS = "SELECT gaps_filled FROM platform.position WHERE consumer = 'counting'"
pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("short_sessions"), pytest.mark.timeout(240)]


@pytest.fixture
async def own(short_sessions: TestStack, tmp_path: Path) -> AsyncIterator[Settings]:
    async with corner(short_sessions, tmp_path / "home") as settings:
        yield settings


@pytest.fixture
async def database(own: Settings) -> AsyncIterator[Connection]:
    async with connected(own, "test") as connection:
        yield connection


async def allow_health(settings: Settings) -> None:
    """The agency has a user of its own on Kafka."""
    async with admin_client(settings) as admin:
        await allow_agency(admin, settings, "health", password(settings.home / "secrets" / "agency-health", "kafka"))


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


@pytest.mark.accept
@pytest.mark.alone
async def test_nothing_is_lost_or_repeated_when_sessions_end(own: Settings, database: Connection) -> None:
    """Alone: a consumer to which Kafka brings nothing for a second reads the database, as on a busy machine."""
    await found(own, "health")
    await allow_health(own)
    producer = await start_producer(own, "agency-health")
    pipeline = Pipeline(COUNTING, own)
    with capture_logs() as logged:
        async with running(registrar(own), pipeline):
            await until_size(database, 3)

            async def applied() -> bool:
                position = await database.fetchval("SELECT position FROM platform.position WHERE consumer = 'counting'")
                return bool(position == await log_size(database))

            await until(applied, "the consumer applied what was there when it started")
            gaps_before = await database.fetchval(GAPS)
            sent, began = 0, time.monotonic()
            pending = []
            while (elapsed_s := time.monotonic() - began) < FOR_S:
                while sent < elapsed_s * PER_S:
                    pending.append(await producer.send(HEALTH_TOPIC, said(f"e{sent}"), headers=STRUCTURED_HEADERS))
                    sent += 1
                await asyncio.sleep(0.005)
            await asyncio.gather(*pending)
            await until_size(database, 3 + sent)
            await until_shipped(database, 3 + sent)
            await until(applied, "the consumer applied everything")
    await producer.stop()
    gaps = await database.fetchval(GAPS) - gaps_before
    duplicates = await database.fetchval("SELECT count(*) FROM log.duplicate")
    tell(f"sessions of {SESSION_S} s: {sent} events, {gaps} gaps, {duplicates} duplicates")
    words = [f"{row['event']} {row.get('error', '')}" for row in logged if row["log_level"] in ("warning", "error")]
    assert words == []
    assert duplicates == 0
    assert gaps < sent / 20  # on a busy machine the new session comes late, and the database fills in


async def test_a_producer_whose_password_was_replaced_cannot_send_after_its_session(own: Settings) -> None:
    await found(own, "health")
    await allow_health(own)
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
