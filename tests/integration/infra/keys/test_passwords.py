"""Passwords are replaced while processes run: connections are opened again with the new ones, and the old ones end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from aiokafka.errors import KafkaError

from infra.kafka.admin import admin_client, allow_agency
from infra.kafka.clients import abort_producer
from infra.keys import passwords
from infra.keys.passwords import rotate_passwords
from infra.postgres.connection import Connection, connect, create_pool
from infra.principals import KAFKA_PRINCIPALS, PRINCIPALS
from infra.secret_files import use_next_password, write_private
from infra.settings import Settings
from tests.integration.infra.conftest import SESSION_S
from tests.stack import TestStack, corner
from tests.world.senders import start_producer

SESSIONS = 3
TRIES_MAX = 40
TOPIC = "agency.health.events"
pytestmark = [pytest.mark.stack, pytest.mark.alone, pytest.mark.timeout(240)]


@pytest.fixture
async def own(short_sessions: TestStack, tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings of a test; what it replaced is set back for the next."""
    async with corner(short_sessions, tmp_path / "home") as settings:
        async with admin_client(settings) as admin:
            await allow_agency(admin, settings, "health", "unused")
        yield settings
        for principal, before in short_sessions.passwords.items():
            for service, password in before.items():
                if principal in PRINCIPALS:
                    write_private(settings.secret_path(f"{service}.next", principal), password)
        await rotate(settings)


async def rotate(settings: Settings, *principals: str, is_ending_sessions: bool = False) -> list[passwords.Replaced]:
    return await rotate_passwords(settings, principals or PRINCIPALS, is_ending_sessions, lambda: datetime.now(UTC))


def as_before(settings: Settings, folder: Path, principal: str, service: str) -> Settings:
    """The settings of a process that has a copy of today's password elsewhere, as on another machine."""
    copied = folder / principal / service
    copied.parent.mkdir(parents=True, exist_ok=True)
    write_private(copied, settings.secret(service, principal) or "")
    found = settings.model_copy(update={"secrets": folder})
    return found.acting_as(principal)


async def test_what_is_connected_goes_on_and_connects_again_with_the_new_password(own: Settings) -> None:
    gateway = own.acting_as("gateway")
    pool, producer = await create_pool(gateway, "test", size=1), await start_producer(gateway)
    try:
        first = await pool.fetchval("SELECT pg_backend_pid()")
        await producer.send_and_wait(TOPIC, b"before")
        replaced = await rotate(own)
        assert await pool.fetchval("SELECT pg_backend_pid()") == first, "an open connection goes on"
        await rotate(own, "gateway", is_ending_sessions=True)
        began = time.monotonic()
        while time.monotonic() - began < SESSION_S * SESSIONS:
            await producer.send_and_wait(TOPIC, b"after")
            await asyncio.sleep(0.1)
        try:
            second = await pool.fetchval("SELECT pg_backend_pid()")
        except asyncpg.PostgresConnectionError:  # the pool finds that the connection was ended
            second = await pool.fetchval("SELECT pg_backend_pid()")
        assert second != first
    finally:
        await abort_producer(producer)
        pool.terminate()
    assert {(row.principal, row.service) for row in replaced} == {
        *((name, "postgres") for name in PRINCIPALS),
        *((name, "kafka") for name in KAFKA_PRINCIPALS),
    }


async def test_another_machine_is_refused_until_it_has_the_file_and_tries_again(own: Settings, tmp_path: Path) -> None:
    elsewhere = as_before(own, tmp_path / "elsewhere", "gateway", "postgres")
    as_before(own, tmp_path / "elsewhere", "gateway", "kafka")
    await rotate(own, "gateway")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await connect(elsewhere)
    with pytest.raises(KafkaError):
        await start_producer(elsewhere)
    for service in ("postgres", "kafka"):
        write_private(elsewhere.secret_path(service), own.secret(service, "gateway") or "")
    await (await connect(elsewhere)).close()
    await abort_producer(await start_producer(elsewhere))


@pytest.mark.parametrize("service", ["postgres", "kafka"])
async def test_a_rotation_that_is_killed_at_the_server_shuts_nobody_out_and_is_completed(
    own: Settings, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(path: Path) -> None:
        if path.name == service:
            raise KeyboardInterrupt
        used(path)

    used = use_next_password
    monkeypatch.setattr(passwords, "use_next_password", killed)
    with pytest.raises(KeyboardInterrupt):
        await rotate(own, "relay")
    relay = own.acting_as("relay")
    old, prepared = relay.passwords(service)
    await _connect(relay, service)
    monkeypatch.undo()
    await rotate(own, "relay")
    assert relay.passwords(service) == [prepared]
    assert old != prepared
    await _connect(relay, service)


async def test_a_rotation_that_is_killed_before_the_server_changes_nothing(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(connection: Connection, principal: str, password: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(passwords, "set_password", killed)
    with pytest.raises(KeyboardInterrupt):
        await rotate(own, "relay")
    relay = own.acting_as("relay")
    _, prepared = relay.passwords("postgres")
    await _connect(relay, "postgres")
    monkeypatch.undo()
    await rotate(own, "relay")
    assert relay.passwords("postgres") == [prepared]


async def _connect(settings: Settings, service: str) -> None:
    """As its processes do: they try again when they are refused."""
    if service == "postgres":
        await (await connect(settings)).close()
        return
    for _ in range(TRIES_MAX):
        try:
            await abort_producer(await start_producer(settings))
        except KafkaError:
            continue
        return
    raise AssertionError("no try was accepted")
