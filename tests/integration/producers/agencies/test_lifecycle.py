"""Suspension, resumption and rotation on the real Kafka and PostgreSQL."""

from __future__ import annotations

import io
from typing import Final

import asyncpg
import pytest
from aiokafka.errors import SaslAuthenticationFailed
from rich.console import Console

from consumers.relay.relay import Relay
from events.values.bilingual import Bilingual
from infra.http.problems import Problem
from infra.kafka.admin import admin_client, allow_agency
from infra.kafka.client_config import agency_topic
from infra.keys.access_changes import AccessChanges
from infra.log.authority import RESUMED, SUSPENDED
from infra.postgres.connection import Connection, Pool
from infra.postgres.trail import trail_rows
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
from producers.agencies.tokens_commands import tokens_table
from producers.gateway.access.callers import Access
from tests.world.registrars import found, log_of, registrar, until_size
from tests.world.senders import REGISTER, now, write_as
from tests.world.waits import running, until

REASON: Final = {"ar": "سبب", "en": "test"}


@pytest.fixture
async def health(settings: Settings, connection: Connection) -> str:
    """An agency that may write."""
    await allow(settings, "health", "platform")
    for code, role in (("platform", "platform"), ("yesser", "office"), ("health", "agency")):
        await connection.execute(REGISTER, code, role)
    return "health"


async def allow(settings: Settings, *codes: str) -> None:
    async with admin_client(settings) as admin:
        for code in codes:
            kept = password(settings.home / "secrets" / f"agency-{code}", "kafka")
            await allow_agency(admin, settings, code, kept)


async def commands(connection: Connection) -> list[str]:
    return [row["command"] async for row in trail_rows(connection)]


async def test_a_suspended_agency_writes_again_once_it_is_resumed(settings: Settings, connection: Connection) -> None:
    await found(settings, "health")
    await allow(settings, "health")
    topic = agency_topic("health")
    async with running(registrar(settings), Relay(settings)):
        await until_size(connection, 3)
        await write_as(settings, "agency-health", topic)
        for _ in range(2):
            await suspend(connection, settings, "health", REASON, now)
        assert await is_suspended(connection, "health")
        with pytest.raises(Exception) as caught:
            await write_as(settings, "agency-health", topic)
        assert "Authorization" in type(caught.value).__name__
        for _ in range(2):
            await resume(connection, settings, "health", REASON, now)
        assert not await is_suspended(connection, "health")
        await write_as(settings, "agency-health", topic)
        await suspend(connection, settings, "health", REASON, now)
        registered = "SELECT index FROM platform.suspension"
        await until(lambda: connection.fetchval(registered), "the second suspension is registered")
    told = [entry for entry in await log_of(connection) if entry.type in (SUSPENDED, RESUMED)]
    assert [(entry.type, entry.data) for entry in told] == [
        (kind, {"code": "health", "reason": REASON}) for kind in (SUSPENDED, RESUMED, SUSPENDED)
    ], "repeated commands announce nothing twice"
    assert await commands(connection) == [f"agencies {command} health" for command in ("suspend", "resume", "suspend")]
    for change in ("UPDATE platform.trail SET operator = 'x'", "DELETE FROM platform.trail", "TRUNCATE platform.trail"):
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute(change)


async def test_a_suspension_needs_a_registrar_to_end(settings: Settings, connection: Connection, health: str) -> None:
    personal = {"ar": "سبب", "en": "asked by 1000000008"}
    for refused, words in (
        (suspend(connection, settings, health, personal, now), "cannot be suspended: personal-data"),
        (suspend(connection, settings, "nobody", REASON, now), "not registered"),
        (suspend(connection, settings, "yesser", REASON, now), "cannot be suspended"),
        (rotate(connection, settings, "platform"), "only the relay writes as the platform"),
        (resume(connection, settings, "platform", REASON, now), "only the relay writes as the platform"),
    ):
        with pytest.raises(StatusUnchanged, match=words):
            await refused
    assert not await is_suspended(connection, health)
    assert await commands(connection) == []

    await suspend(connection, settings, health, REASON, now)
    assert await is_suspended(connection, health)
    with pytest.raises(NotResumedYet):
        await resume(connection, settings, health, REASON, now, timeout_s=0.1)
    assert await is_suspended(connection, health)
    # It is suspended again before the end of the first suspension was registered.
    await suspend(connection, settings, health, REASON, now)
    assert await connection.fetchval("SELECT count(*) FROM platform.outbox") == 3
    assert not await connection.fetchval("SELECT ends FROM platform.suspension")


async def test_only_the_rotated_password_is_good(settings: Settings, connection: Connection, health: str) -> None:
    path = settings.home / "secrets" / "agency-health" / "kafka"
    old = path.read_text()
    path.write_text(await rotate(connection, settings, health))
    assert path.read_text() != old
    await write_as(settings, "agency-health", agency_topic(health))
    path.write_text(old)
    with pytest.raises(SaslAuthenticationFailed):
        await write_as(settings, "agency-health", agency_topic(health))


async def test_a_holder_has_two_active_sealed_tokens(settings: Settings, connection: Connection, pool: Pool) -> None:
    for code, role in (("yesser", "office"), ("health", "agency")):
        await connection.execute(REGISTER, code, role)
    key, asked = hash_key(settings), TokenRequest("agency", "health", 30)
    for wrong, words in (
        (TokenRequest("agency", "nobody", 1), "not registered"),
        (TokenRequest("agency", "yesser", 1), "registered as office"),
        (TokenRequest("agency", "health", 1, ("log:read",)), "cannot have log:read"),
        (TokenRequest("agency", "health", 1, partners=("health/ACME",)), "--partner"),
        (TokenRequest("partner", "ACME", 1), "--partner AGENCY/PARTNER_ID"),
        (TokenRequest("partner", "ACME", 1, partners=("nobody/ACME",)), "nobody is not registered"),
    ):
        with pytest.raises(NoToken, match=words):
            await create_token(connection, key, wrong)
    with pytest.raises(NoToken, match="no token"):
        await revoke_token(connection, "aaaaaaaaaa", AccessChanges.of(settings))

    first, second = await create_token(connection, key, asked), await create_token(connection, key, asked)
    with pytest.raises(NoToken, match="2 active tokens"):
        await create_token(connection, key, asked)
    assert await revoke_token(connection, first.key_id, AccessChanges.of(settings)) == "health"
    await create_token(connection, key, asked)
    dump = str(await connection.fetch("SELECT t::text FROM platform.token t"))
    assert second.token not in dump
    assert second.token.rpartition("_")[2] not in dump
    rows = await list_tokens(connection, [key])
    assert [row.state for row in rows] == ["revoked", "active", "active"]
    paper = io.StringIO()
    names = {"health": Bilingual("وزارة الصحة", "Ministry of Health")}
    Console(file=paper, width=140).print(tokens_table(rows, names))
    assert [paper.getvalue().count(text) for text in ("وزارة الصحة", "Ministry of Health")] == [3, 3]

    async def refusal(token: str) -> str:
        with pytest.raises(Problem) as caught:
            await holder_of(Access(settings, pool), token)
        return caught.value.code

    change = "UPDATE platform.token SET {} WHERE key_id = $1"
    await connection.execute(change.format("seal = NULL"), second.key_id)
    assert [row.key_id for row in await unsealed_tokens(connection)] == [second.key_id]
    assert await refusal(second.token) == "token-changed", "one of an earlier release, until it is sealed"
    assert await seal_token(connection, key, second.key_id) == "health"
    assert await holder_of(Access(settings, pool), second.token) == "health"
    with pytest.raises(NoToken, match="without a seal"):
        await seal_token(connection, key, second.key_id)
    assert (await commands(connection))[-2:] == [f"refused token {second.key_id}", f"tokens seal {second.key_id}"]
    await connection.execute(change.format("expires_at = expires_at + interval '1 second'"), second.key_id)
    states = {row.key_id: row.state for row in await list_tokens(connection, [key])}
    assert states[second.key_id] == "changed"
    await connection.execute(change.format("revoked_at = NULL"), first.key_id)
    assert await refusal(first.token) == "unauthenticated", "a revoked one does not come back"


async def holder_of(access: Access, token: str) -> str:
    return (await access.authenticate([(b"authorization", f"Bearer {token}".encode())], "192.0.2.1")).holder
