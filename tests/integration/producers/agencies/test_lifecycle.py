"""Suspension, resumption and rotation on the real Kafka and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError

from consumers.relay.relay import Relay
from infra.http.problems import Problem
from infra.kafka.admin import admin_client, allow_agency
from infra.kafka.client_config import agency_topic
from infra.keys.access_changes import AccessChanges
from infra.log.authority import RESUMED, SUSPENDED
from infra.postgres.connection import Connection, Pool
from infra.postgres.trail import add_to_trail, trail_rows
from infra.secret_files import password
from infra.settings import Settings
from producers.agencies.lifecycle import NotResumedYet, StatusUnchanged, is_suspended, resume, rotate, suspend
from producers.agencies.tokens import (
    NoToken,
    TokenRequest,
    create_token,
    hash_key,
    list_tokens,
    revoke_token,
    seal_token,
    unsealed_tokens,
)
from producers.gateway.access.callers import Access
from tests.world.registrars import found, log_of, registrar, until_size
from tests.world.senders import REGISTER, now, write_as
from tests.world.waits import running, until

REASON: Final = {"ar": "سبب", "en": "test"}


@pytest.fixture
async def health(settings: Settings, connection: Connection) -> str:
    """An agency that may write."""
    async with admin_client(settings) as admin:
        await allow_agency(admin, settings, "health", password(settings.home / "secrets" / "agency-health", "kafka"))
        await allow_agency(admin, settings, "platform", "unused")
    for code, role in (("yesser", "office"), ("health", "agency")):
        await connection.execute(REGISTER, code, role)
    return "health"


@pytest.fixture
async def logged(settings: Settings, connection: Connection) -> AsyncIterator[str]:
    """The same agency in a log that goes on: a registrar and a relay run."""
    await found(settings, "health")
    async with admin_client(settings) as admin:
        await allow_agency(admin, settings, "health", password(settings.home / "secrets" / "agency-health", "kafka"))
    async with running(registrar(settings), Relay(settings)):
        await until_size(connection, 3)
        yield "health"


async def commands(connection: Connection) -> list[str]:
    return [row["command"] async for row in trail_rows(connection)]


async def test_a_suspended_agency_cannot_write_and_a_resumed_one_can(
    settings: Settings, connection: Connection, logged: str
) -> None:
    topic = agency_topic(logged)
    await write_as(settings, "agency-health", topic)
    await suspend(connection, settings, logged, REASON, now)
    assert await is_suspended(connection, logged)
    with pytest.raises(Exception) as caught:
        await write_as(settings, "agency-health", topic)
    assert "Authorization" in type(caught.value).__name__
    await resume(connection, settings, logged, REASON, now)
    assert not await is_suspended(connection, logged)
    await write_as(settings, "agency-health", topic)
    told = [entry for entry in await log_of(connection) if entry.type in (SUSPENDED, RESUMED)]
    assert [(entry.type, entry.data) for entry in told] == [
        (kind, {"code": "health", "reason": REASON}) for kind in (SUSPENDED, RESUMED)
    ]
    assert await commands(connection) == ["agencies suspend health", "agencies resume health"]


async def test_repeated_commands_announce_nothing_twice(
    settings: Settings, connection: Connection, logged: str
) -> None:
    for _ in range(2):
        await suspend(connection, settings, logged, REASON, now)
    for _ in range(2):
        await resume(connection, settings, logged, REASON, now)
    await suspend(connection, settings, logged, REASON, now)

    async def registered() -> bool:
        return bool(await connection.fetchval("SELECT index FROM platform.suspension"))

    await until(registered, "the second suspension is registered")
    told = [entry.type for entry in await log_of(connection)]
    assert [kind for kind in told if kind in (SUSPENDED, RESUMED)] == [SUSPENDED, RESUMED, SUSPENDED]


async def test_without_a_registrar_a_suspension_takes_effect_and_its_end_waits(
    settings: Settings, connection: Connection, health: str
) -> None:
    await suspend(connection, settings, health, REASON, now)
    assert await is_suspended(connection, health)
    with pytest.raises(NotResumedYet):
        await resume(connection, settings, health, REASON, now, timeout_s=0.1)
    assert await is_suspended(connection, health)
    # It is suspended again before the end of the first suspension was registered.
    await suspend(connection, settings, health, REASON, now)
    assert await connection.fetchval("SELECT count(*) FROM platform.outbox") == 3
    assert not await connection.fetchval("SELECT ends FROM platform.suspension")


async def test_a_reason_with_personal_data_is_refused_and_changes_nothing(
    settings: Settings, connection: Connection, health: str
) -> None:
    with pytest.raises(StatusUnchanged, match="cannot be suspended: personal-data"):
        await suspend(connection, settings, health, {"ar": "سبب", "en": "asked by 1000000008"}, now)
    assert not await is_suspended(connection, health)
    assert await commands(connection) == []


async def test_after_a_rotation_only_the_new_password_is_good(
    settings: Settings, connection: Connection, health: str
) -> None:
    path = settings.home / "secrets" / "agency-health" / "kafka"
    old = path.read_text()
    path.write_text(await rotate(connection, settings, health))
    assert path.read_text() != old
    await write_as(settings, "agency-health", agency_topic(health))
    path.write_text(old)
    with pytest.raises(KafkaConnectionError):
        await write_as(settings, "agency-health", agency_topic(health))


async def test_nobody_unknown_and_not_the_office_can_be_suspended(
    settings: Settings, connection: Connection, health: str
) -> None:
    with pytest.raises(StatusUnchanged, match="not registered"):
        await suspend(connection, settings, "nobody", REASON, now)
    with pytest.raises(StatusUnchanged, match="cannot be suspended"):
        await suspend(connection, settings, "yesser", REASON, now)


async def test_nobody_gets_the_platforms_credential(settings: Settings, connection: Connection, health: str) -> None:
    await connection.execute(REGISTER, "platform", "platform")
    for refused in (rotate(connection, settings, "platform"), resume(connection, settings, "platform", REASON, now)):
        with pytest.raises(StatusUnchanged, match="only the relay writes as the platform"):
            await refused
    assert await commands(connection) == []


async def test_a_holder_has_two_active_tokens_and_the_database_knows_none_of_them(
    settings: Settings, connection: Connection, health: str
) -> None:
    key, asked = hash_key(settings), TokenRequest("agency", health, 30)
    first, second = await create_token(connection, key, asked), await create_token(connection, key, asked)
    with pytest.raises(NoToken, match="2 active tokens"):
        await create_token(connection, key, asked)
    assert await revoke_token(connection, first.key_id, AccessChanges.of(settings)) == health
    await create_token(connection, key, asked)
    dump = str(await connection.fetch("SELECT t::text FROM platform.token t"))
    assert second.token not in dump
    assert second.token.rpartition("_")[2] not in dump
    assert [row["state"] for row in await list_tokens(connection)] == ["revoked", "active", "active"]


async def test_a_token_of_an_earlier_release_is_good_once_it_is_sealed(
    settings: Settings, pool: Pool, connection: Connection, health: str
) -> None:
    made = await create_token(connection, key := hash_key(settings), TokenRequest("agency", health, 30))
    await connection.execute("UPDATE platform.token SET seal = NULL")
    assert [row["key_id"] for row in await unsealed_tokens(connection)] == [made.key_id]
    with pytest.raises(Problem) as caught:
        await holder_of(Access(settings, pool), made.token)
    assert caught.value.code == "token-changed"
    assert await seal_token(connection, key, made.key_id) == health
    assert await holder_of(Access(settings, pool), made.token) == health
    with pytest.raises(NoToken, match="without a seal"):
        await seal_token(connection, key, made.key_id)
    assert await commands(connection) == [
        "tokens create health --kind agency",
        f"refused token {made.key_id}",
        f"tokens seal {made.key_id}",
    ]


async def test_the_list_names_a_row_that_was_changed(settings: Settings, connection: Connection, health: str) -> None:
    key = hash_key(settings)
    await create_token(connection, key, TokenRequest("agency", health, 30))
    [row] = await list_tokens(connection, [key])
    assert (row["state"], row.keys() & {"keyed_hash", "seal"}) == ("active", set())
    await connection.execute("UPDATE platform.token SET expires_at = expires_at + interval '1 second'")
    assert [row["state"] for row in await list_tokens(connection, [key])] == ["changed"]


async def test_a_revoked_token_does_not_come_back_when_its_row_is_changed(
    settings: Settings, pool: Pool, connection: Connection, health: str
) -> None:
    made = await create_token(connection, hash_key(settings), TokenRequest("agency", health, 30))
    await revoke_token(connection, made.key_id, AccessChanges.of(settings))
    await connection.execute("UPDATE platform.token SET revoked_at = NULL")
    with pytest.raises(Problem) as caught:
        await holder_of(Access(settings, pool), made.token)
    assert caught.value.code == "unauthenticated"


async def holder_of(access: Access, token: str) -> str:
    return (await access.authenticate([(b"authorization", f"Bearer {token}".encode())], "192.0.2.1")).holder


async def test_the_trail_cannot_be_changed(connection: Connection) -> None:
    await add_to_trail(connection, "agencies rotate health")
    for change in ("UPDATE platform.trail SET operator = 'x'", "DELETE FROM platform.trail", "TRUNCATE platform.trail"):
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute(change)


async def test_a_token_needs_a_known_holder_and_takes_no_scope_beyond_its_kind(
    settings: Settings, connection: Connection, health: str
) -> None:
    key = hash_key(settings)
    for asked, words in (
        (TokenRequest("agency", "nobody", 1), "not registered"),
        (TokenRequest("agency", "yesser", 1), "registered as office"),
        (TokenRequest("agency", health, 1, ("log:read",)), "cannot have log:read"),
        (TokenRequest("agency", health, 1, partners=("health/ACME",)), "--partner"),
        (TokenRequest("partner", "ACME", 1), "--partner AGENCY/PARTNER_ID"),
        (TokenRequest("partner", "ACME", 1, partners=("nobody/ACME",)), "nobody is not registered"),
    ):
        with pytest.raises(NoToken, match=words):
            await create_token(connection, key, asked)
    with pytest.raises(NoToken, match="no token"):
        await revoke_token(connection, "aaaaaaaaaa", AccessChanges.of(settings))
