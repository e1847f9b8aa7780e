"""Suspension, resumption and rotation on the real Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from infra.kafka.admin import admin_client, allow_agency
from infra.kafka.client_config import agency_topic, client_arguments
from infra.postgres.connection import Connection
from infra.secret_files import password
from infra.settings import Settings
from producers.agencies.lifecycle import StatusUnchanged, is_suspended, resume, rotate, suspend
from producers.agencies.tokens import NoToken, TokenRequest, create_token, hash_key, list_tokens, revoke_token


async def write(settings: Settings, user: str, topic: str) -> None:
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, **client_arguments(settings, user))
    try:
        await producer.start()
        await asyncio.wait_for(producer.send_and_wait(topic, b"{}"), 20)
    finally:
        await producer.stop()


@pytest.fixture
async def health(settings: Settings, connection: Connection) -> str:
    """An agency that may write."""
    async with admin_client(settings) as admin:
        await allow_agency(admin, settings, "health", password(settings.home / "secrets" / "agency-health", "kafka"))
        await allow_agency(admin, settings, "platform", "unused")
    for code, role in (("yesser", "office"), ("health", "agency")):
        await connection.execute(
            "INSERT INTO platform.agency (code, role, name, registered_index) VALUES ($1, $2, '{}', 1)", code, role
        )
    return "health"


async def test_a_suspended_agency_cannot_write_and_a_resumed_one_can(
    settings: Settings, connection: Connection, health: str
) -> None:
    topic = agency_topic(health)
    await write(settings, "agency-health", topic)
    await suspend(connection, settings, health, "test")
    assert await is_suspended(connection, health)
    with pytest.raises(Exception) as caught:
        await write(settings, "agency-health", topic)
    assert "Authorization" in type(caught.value).__name__
    await resume(connection, settings, health)
    assert not await is_suspended(connection, health)
    await write(settings, "agency-health", topic)


async def test_after_a_rotation_only_the_new_password_is_good(
    settings: Settings, connection: Connection, health: str
) -> None:
    path = settings.home / "secrets" / "agency-health" / "kafka"
    old = path.read_text()
    path.write_text(await rotate(connection, settings, health))
    assert path.read_text() != old
    await write(settings, "agency-health", agency_topic(health))
    path.write_text(old)
    with pytest.raises(KafkaConnectionError):
        await write(settings, "agency-health", agency_topic(health))


async def test_nobody_unknown_and_not_the_office_can_be_suspended(
    settings: Settings, connection: Connection, health: str
) -> None:
    with pytest.raises(StatusUnchanged, match="not registered"):
        await suspend(connection, settings, "nobody", "test")
    with pytest.raises(StatusUnchanged, match="cannot be suspended"):
        await suspend(connection, settings, "yesser", "test")


async def test_the_gateway_writes_for_agencies_and_never_as_the_platform(settings: Settings, health: str) -> None:
    await write(settings, "gateway", agency_topic(health))
    with pytest.raises(TopicAuthorizationFailedError):
        await write(settings, "gateway", agency_topic("platform"))


async def test_a_holder_has_two_active_tokens_and_the_database_knows_none_of_them(
    settings: Settings, connection: Connection, health: str
) -> None:
    key, asked = hash_key(settings), TokenRequest("agency", health, 30)
    first, second = await create_token(connection, key, asked), await create_token(connection, key, asked)
    with pytest.raises(NoToken, match="2 active tokens"):
        await create_token(connection, key, asked)
    assert await revoke_token(connection, first.key_id) == health
    await create_token(connection, key, asked)
    dump = str(await connection.fetch("SELECT t::text FROM platform.token t"))
    assert second.token not in dump
    assert second.token.rpartition("_")[2] not in dump
    assert [row["state"] for row in await list_tokens(connection)] == ["revoked", "active", "active"]


async def test_a_token_needs_a_known_holder_and_takes_no_scope_beyond_its_kind(
    settings: Settings, connection: Connection, health: str
) -> None:
    key = hash_key(settings)
    for asked, words in (
        (TokenRequest("agency", "nobody", 1), "not registered"),
        (TokenRequest("agency", "yesser", 1), "registered as office"),
        (TokenRequest("agency", health, 1, ("log:read",)), "cannot have log:read"),
    ):
        with pytest.raises(NoToken, match=words):
            await create_token(connection, key, asked)
    with pytest.raises(NoToken, match="no token"):
        await revoke_token(connection, "aaaaaaaaaa")
