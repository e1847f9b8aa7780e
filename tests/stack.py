"""The real Kafka and the real PostgreSQL that tests run on, and a fresh corner of both for each test.

In this order: services that the environment names (YESSER_KAFKA, YESSER_POSTGRES), containers where a Docker engine
answers, else the embedded stack in a folder of its own. The behaviour is the same; only the start differs.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from consumers.migrate_cli import migrate_database
from infra.embedded.passwords import write_private
from infra.embedded.stack import running_stack
from infra.kafka_admin import admin_client, create_acls, delete_topics, platform_rights
from infra.postgres import address
from infra.settings import Settings

DROP_TRIES_MAX = 50
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
        )


@contextmanager
def services(home: Path) -> Iterator[TestStack]:
    """The services for a whole test session, with a migrated template database."""
    if "YESSER_KAFKA" in os.environ and "YESSER_POSTGRES" in os.environ:
        given = Settings()
        assert given.kafka is not None
        assert given.postgres is not None
        yield _migrated(
            TestStack(given.kafka, given.kafka_user, given.kafka_security, {}, given.postgres, "", given=True), home
        )
        return
    from tests.containers import container_services, engine_answers

    source = container_services(home) if engine_answers() else _embedded(home)
    with source as found:
        yield _migrated(found, home)


@contextmanager
def _embedded(home: Path) -> Iterator[TestStack]:
    with running_stack(home, only=("kafka", "postgres"), prepared=False) as settings:
        record = settings.stack()
        assert record is not None
        passwords = {name: settings.secret(f"kafka-{name}") or "" for name in ("admin", "platform")}
        kafka = f"127.0.0.1:{record['kafka']['port']}"
        yield TestStack(kafka, None, "SASL_PLAINTEXT", passwords, address(settings), "", given=False)


def _migrated(found: TestStack, home: Path) -> TestStack:
    return asyncio.run(_migrate(found, home))


async def _migrate(found: TestStack, home: Path) -> TestStack:
    """Give the platform its rights, and migrate the database that every test's own is copied from."""
    template = f"yesser_template_{secrets.token_hex(4)}"
    await execute(found.postgres, f"CREATE DATABASE {template}")
    corner = found.settings(home / "template", postgres=with_database(found.postgres, template), corner="template")
    await migrate_database(corner)
    if found.passwords:
        async with admin_client(corner) as admin:
            await create_acls(admin._client, platform_rights())
    return TestStack(
        found.kafka, found.kafka_user, found.kafka_security, found.passwords, found.postgres, template, found.given
    )


@asynccontextmanager
async def corner(stack: TestStack, home: Path) -> AsyncIterator[Settings]:
    """A fresh database and a Kafka without any of our topics, for one test; both are cleared away afterwards."""
    name = secrets.token_hex(4)
    database = f"yesser_test_{name}"
    await execute(stack.postgres, f"CREATE DATABASE {database} TEMPLATE {stack.template}")
    settings = stack.settings(home, postgres=with_database(stack.postgres, database), corner=name)
    try:
        await clear_topics(settings, refuse=stack.given)
        yield settings
    finally:
        await clear_topics(settings)
        await drop_database(stack.postgres, database)


async def clear_topics(settings: Settings, *, refuse: bool = False) -> None:
    """Delete the platform's topics. On a Kafka that is not ours nothing that stood there before is ever deleted."""
    async with admin_client(settings) as admin:
        names = [name for name in await admin.list_topics() if name.startswith(OURS)]
        if refuse and names:
            raise RuntimeError(f"The Kafka in YESSER_KAFKA is in use ({names[0]}, …): tests need one of their own.")
        await delete_topics(admin, names)


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


async def drop_template(stack: TestStack) -> None:
    await drop_database(stack.postgres, stack.template)


async def execute(postgres: str, statement: str) -> None:
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def with_database(postgres: str, name: str) -> str:
    """The same server and user, another database."""
    return urlunsplit(urlsplit(postgres)._replace(path=f"/{name}"))
