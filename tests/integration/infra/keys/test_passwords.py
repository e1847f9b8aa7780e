"""Passwords are replaced while processes run: connections are opened again with the new ones, and the old ones end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from aiokafka.errors import KafkaError

from infra.kafka.admin import NoRight, admin_client, allow_agency
from infra.kafka.clients import abort_producer
from infra.keys import passwords
from infra.keys.passwords import rotate_passwords
from infra.postgres.connection import connect, create_pool
from infra.principals import KAFKA_PRINCIPALS, PRINCIPALS
from infra.secret_files import use_next_password, write_private
from infra.settings import Settings
from tests.integration.infra.conftest import SESSION_S
from tests.stack import TestStack, corner
from tests.world.senders import start_producer

SESSIONS = 3
TRIES_MAX = 40
TOPIC = "agency.health.events"
AGENCY_PASSWORD = "of-the-agency"
pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("short_sessions"), pytest.mark.timeout(240)]


@pytest.fixture
async def own(short_sessions: TestStack, tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings of a test; what it replaced is set back for the next."""
    async with corner(short_sessions, tmp_path / "home") as settings:
        async with admin_client(settings) as admin:
            await allow_agency(admin, settings, "health", AGENCY_PASSWORD)
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


async def test_what_is_connected_goes_on_and_others_need_the_new_password(own: Settings, tmp_path: Path) -> None:
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


async def test_a_rotation_without_the_right_prepares_nothing(own: Settings) -> None:
    refused = own.model_copy(update={"kafka_user": "agency-health", "kafka_password": AGENCY_PASSWORD})
    with pytest.raises(NoRight, match="unset YESSER_KAFKA_USER"):
        await rotate(refused, "relay")
    assert len(own.passwords("kafka", "relay")) == 1, "every process would try the other in vain"


async def test_a_killed_rotation_shuts_nobody_out_and_ends(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def before_the_server(*_: object) -> None:
        raise KeyboardInterrupt

    def at_the_server(service: str) -> Callable[[Path], None]:
        def killed(path: Path) -> None:
            if path.name == service:
                raise KeyboardInterrupt
            use_next_password(path)

        return killed

    relay = own.acting_as("relay")
    kills: tuple[tuple[str, str, Callable[..., object]], ...] = (
        ("postgres", "set_password", before_the_server),
        ("postgres", "use_next_password", at_the_server("postgres")),
        ("kafka", "use_next_password", at_the_server("kafka")),
    )
    for service, step, killed in kills:
        with monkeypatch.context() as patched:
            patched.setattr(passwords, step, killed)
            with pytest.raises(KeyboardInterrupt):
                await rotate(own, "relay")
        old, prepared = relay.passwords(service)
        assert old != prepared
        await _connect(relay, service)
        await rotate(own, "relay")
        assert relay.passwords(service) == [prepared], (service, step)
        await _connect(relay, service)


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
