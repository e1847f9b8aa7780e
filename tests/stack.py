"""The real Kafka and the real PostgreSQL that tests run on, and a fresh corner of both for each test.

In this order: services that the environment names (YESSER_KAFKA, YESSER_POSTGRES), containers where a Docker engine
answers, else the embedded stack in a folder of its own. The behaviour is the same; only the start differs.

The services that are started here lie in memory where there is room, and PostgreSQL does not flush: what a kill -9
leaves is the same, and no test on them takes the machine's power away. Systems (`tests/scenarios/system.py`) and
benches keep the product's own settings and a disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from consumers.operations.migrate_command import migrate_database
from infra.embedded.servers.ports import HOST
from infra.embedded.servers.postgres import SUPERUSER
from infra.embedded.stack import running_stack
from infra.kafka.admin import admin_client, create_acls, delete_topics, platform_rights
from infra.kafka.clients import raw_client
from infra.postgres.connection import address
from infra.secret_files import write_private
from infra.settings import Settings

DROP_TRIES_MAX = 50
MEMORY = Path("/dev/shm")
ROOM_BYTES = 3 << 30
"""Free memory for the services of one worker. They take a fifth of it."""
WITHOUT_FLUSHES = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "'256MB'", "min_wal_size": "'64MB'"}
"""Less than the product's own 2 GB of write-ahead log, which would lie in memory."""
SHORT_WAITS: Final[Mapping[str, Any]] = {"checkpoint_interval_ms": 250, "agencies_poll_ms": 250}
"""A registrar looks for agencies and signs more often than by default, so that tests wait less."""
OURS = ("agency.", "yesser.")
"""Prefixes of the topics that the platform makes."""


@dataclass(frozen=True, slots=True)
class TestStack:
    """Where the services are. `passwords` has those of Kafka's users; `given` services belong to somebody else."""

    __test__ = False

    kafka: str
    kafka_user: str | None
    kafka_security: str
    passwords: Mapping[str, str]
    postgres: str
    template: str
    given: bool

    def settings(self, home: Path, *, postgres: str, corner: str) -> Settings:
        """Settings of one test: its own home (key, checkpoints, secrets), database and log topics."""
        home.joinpath("secrets").mkdir(parents=True, exist_ok=True)
        for name, password in self.passwords.items():
            write_private(home / "secrets" / f"kafka-{name}", password)
        return Settings(
            home=home,
            kafka=self.kafka,
            kafka_user=self.kafka_user,
            kafka_password=os.environ.get("YESSER_KAFKA_PASSWORD"),
            kafka_security=self.kafka_security,
            postgres=postgres,
            log_topic=f"yesser.{corner}.log",
            triggers_topic=f"yesser.{corner}.triggers",
            **SHORT_WAITS,
        )


@contextmanager
def folder_of_services() -> Iterator[Path]:
    """A folder in memory where there is room: each test makes and drops a database of 900 files.

    It is not one of pytest's: those of the sessions before are cleared away, and a session may still run.
    """
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM_BYTES
    with tempfile.TemporaryDirectory(
        prefix="yesser-tests-", dir=MEMORY if roomy else None, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@contextmanager
def services(home: Path) -> Iterator[TestStack]:
    """The services for a whole test session, with a migrated template database."""
    from tests.containers import container_services, engine_answers

    source: AbstractContextManager[TestStack]
    if "YESSER_KAFKA" in os.environ and "YESSER_POSTGRES" in os.environ:
        source = nullcontext(_given())
    else:
        source = container_services(home) if engine_answers() else _embedded(home)
    with source as found, pytest.MonkeyPatch.context() as patches:
        # Every connection to Kafka makes the same key of the same password: 6 ms, some thousand times in a run.
        patches.setattr(hashlib, "pbkdf2_hmac", lru_cache(hashlib.pbkdf2_hmac))
        migrated = asyncio.run(_migrate(found, home))
        try:
            yield migrated
        finally:
            asyncio.run(drop_database(migrated.postgres, migrated.template))


def _given() -> TestStack:
    given = Settings()
    assert given.kafka is not None
    assert given.postgres is not None
    return TestStack(given.kafka, given.kafka_user, given.kafka_security, {}, given.postgres, "", given=True)


@contextmanager
def _embedded(home: Path) -> Iterator[TestStack]:
    with running_stack(home, only=("kafka", "postgres"), prepared=False) as settings:
        record = settings.stack()
        assert record is not None
        asyncio.run(_without_flushes(record["postgres"]["port"], settings.secret("postgres-superuser") or ""))
        passwords = {name: settings.secret(f"kafka-{name}") or "" for name in ("admin", "platform")}
        kafka = f"{HOST}:{record['kafka']['port']}"
        yield TestStack(kafka, None, "SASL_PLAINTEXT", passwords, address(settings), "", given=False)


async def _without_flushes(port: int, superuser_password: str) -> None:
    server = f"postgresql://{SUPERUSER}:{superuser_password}@{HOST}:{port}/postgres"
    for name, value in WITHOUT_FLUSHES.items():
        await execute(server, f"ALTER SYSTEM SET {name} = {value}")
    await execute(server, "SELECT pg_reload_conf()")


async def _migrate(found: TestStack, home: Path) -> TestStack:
    """Give the platform its rights, and migrate the database that every test's own is copied from."""
    template = f"yesser_template_{secrets.token_hex(4)}"
    await execute(found.postgres, f"CREATE DATABASE {template}")
    corner = found.settings(home / "template", postgres=with_database(found.postgres, template), corner="template")
    await migrate_database(corner)
    async with admin_client(corner) as admin:
        if found.given and (names := await _our_topics(admin)):
            raise RuntimeError(f"The Kafka in YESSER_KAFKA is in use ({names[0]}, …): tests need one of their own.")
        if found.passwords:
            await create_acls(raw_client(admin), platform_rights())
    return replace(found, template=template)


@asynccontextmanager
async def corner(stack: TestStack, home: Path) -> AsyncIterator[Settings]:
    """A fresh database and a Kafka without any of our topics, for one test, which are cleared away afterwards."""
    name = secrets.token_hex(4)
    database = f"yesser_test_{name}"
    await execute(stack.postgres, f"CREATE DATABASE {database} TEMPLATE {stack.template}")
    settings = stack.settings(home, postgres=with_database(stack.postgres, database), corner=name)
    try:
        yield settings
    finally:
        async with admin_client(settings) as admin:
            await delete_topics(admin, await _our_topics(admin))
        await drop_database(stack.postgres, database)


async def _our_topics(admin: AIOKafkaAdminClient) -> list[str]:
    return [name for name in await admin.list_topics() if name.startswith(OURS)]


async def drop_database(postgres: str, database: str) -> None:
    """Drop it with whoever is connected; autovacuum alone, which belongs to a superuser, is waited for."""
    for _ in range(DROP_TRIES_MAX):
        try:
            await execute(postgres, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        except asyncpg.InsufficientPrivilegeError:
            await asyncio.sleep(0.1)
        else:
            return
    await execute(postgres, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


async def execute(postgres: str, statement: str) -> None:
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def with_database(postgres: str, name: str) -> str:
    """The same server and user, another database."""
    return urlunsplit(urlsplit(postgres)._replace(path=f"/{name}"))
