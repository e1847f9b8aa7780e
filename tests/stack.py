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
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from fastapi import FastAPI

from consumers.models.migrate_command import migrate_database
from infra.embedded.servers.ports import HOST
from infra.embedded.stack import running_stack
from infra.http.documents import Schema
from infra.kafka.admin import admin_client, allow_principals, create_acls, create_scram_user
from infra.kafka.clients import raw_client
from infra.kafka.rights import Operation, Resource, Right
from infra.postgres.connection import address
from infra.postgres.roles import SCRATCH, create_roles
from infra.principals import CONSUMERS as OUR_CONSUMERS
from infra.principals import OWNER_ROLE, PRINCIPALS, SUPERUSER, database_role, schema_of, schema_owner
from infra.secret_files import write_private
from infra.settings import Settings
from tests.corners import Corners, drop_database, execute, our_topics
from tests.team_seals import write_teams_key

MEMORY = Path("/dev/shm")
ROOM_BYTES = 3 << 30
"""Free memory for the services of one worker. They take a fifth of it."""
CHEAP: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "'256MB'",
    "min_wal_size": "'64MB'",
    "scram_iterations": "1",
}
"""Less than the product's own 2 GB of write-ahead log, which would lie in memory. A login with the usual 4,096 rounds
takes the client library 25 ms, and a run makes more than ten thousand."""
SHORT_WAITS: Final[Mapping[str, Any]] = {
    "checkpoint_interval_ms": 100,
    "agencies_poll_ms": 200,
    "lease_renew_ms": 200,
    "retry_wait_max_ms": 500,
    "halted_retry_ms": 200,
    "look_again_ms": 100,
}
"""Processes look for work, sign, and try again more often than by default, so that tests wait less. No limit is
shorter: a lease lasts as long as the product's, so that a slow machine does not lose it."""
TEST_CONSUMERS: Final = ("counting", "first", "second", "third")
"""Consumers that tests define. They may do with the log what ours may, and own their tables."""
CONSUMERS: Final = (*OUR_CONSUMERS, *TEST_CONSUMERS)
SCHEMA_MAKERS: Final = ", ".join(schema_owner(schema_of(consumer)) for consumer in CONSUMERS)


@dataclass(frozen=True, slots=True)
class TestStack:
    """Where the services are. `passwords` has those of each principal and of the superuser, by service; `postgres` is
    the address of the superuser. `given` services belong to somebody else."""

    __test__ = False

    kafka: str
    kafka_user: str | None
    kafka_security: str
    passwords: Mapping[str, Mapping[str, str]]
    postgres: str
    template: str
    given: bool
    corners: Corners | None = None

    def settings(self, home: Path, *, database: str, corner: str) -> Settings:
        """Settings of one test: its own home (key, checkpoints, secrets), database and log topics.

        They act as the superuser. What is under test acts as its own principal.
        """
        for principal, passwords in self.passwords.items():
            folder = home / "secrets" / principal
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for service, password in passwords.items():
                write_private(folder / service, password)
        parts = urlsplit(with_database(self.postgres, database))
        return Settings(
            home=home,
            kafka=self.kafka,
            kafka_user=self.kafka_user,
            kafka_password=os.environ.get("YESSER_KAFKA_PASSWORD"),
            kafka_security=self.kafka_security,
            postgres=urlunsplit(parts._replace(netloc=f"{parts.hostname}:{parts.port}")),
            log_topic=f"yesser.{corner}.log",
            checkpoints_topic=f"yesser.{corner}.checkpoints",
            texts_topic=f"yesser.{corner}.texts",
            triggers_topic=f"yesser.{corner}.triggers",
            gateway_as_of_timeout_s=240,  # a calculation has the lowest priority
            **SHORT_WAITS,
        ).acting_as(SUPERUSER)


@contextmanager
def folder_in_memory() -> Iterator[Path]:
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
    from producers.gateway import app as gateway
    from producers.gateway.routes.pages import openapi_document
    from tests.containers import container_services, engine_answers

    source: AbstractContextManager[TestStack]
    if "YESSER_KAFKA" in os.environ and "YESSER_POSTGRES" in os.environ:
        source = nullcontext(_given())
    else:
        source = container_services(home) if engine_answers() else _embedded(home)
    with source as found, pytest.MonkeyPatch.context() as patches:
        # Every connection to Kafka makes the same key of the same password: 6 ms, some thousand times in a run.
        patches.setattr(hashlib, "pbkdf2_hmac", lru_cache(hashlib.pbkdf2_hmac))
        # Every gateway has the same routes: 0.4 s each, which a process of the product spends once.
        patches.setattr(gateway, "openapi_document", _made_once(openapi_document))
        migrated = asyncio.run(_migrate(found, home))
        anywhere = migrated.settings(home / "corners", database="postgres", corner="corners")
        # Copied file by file, a database takes half of the processor time that its pages take in the write-ahead log.
        create = f"CREATE DATABASE {{}} TEMPLATE {migrated.template} OWNER {OWNER_ROLE} STRATEGY FILE_COPY"
        rights = (
            f"GRANT CREATE ON DATABASE {{}} TO {SCHEMA_MAKERS}",
            "REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC",
            f"GRANT TEMPORARY ON DATABASE {{}} TO {', '.join(map(database_role, SCRATCH))}",
        )
        try:
            with Corners(anywhere, migrated.postgres, create, *rights).running() as corners:
                yield replace(migrated, corners=corners)
        finally:
            asyncio.run(drop_database(migrated.postgres, migrated.template))


def _made_once(make: Callable[[FastAPI], Schema]) -> Callable[[FastAPI], Schema]:
    made: list[Schema] = []

    def document(app: FastAPI) -> Schema:
        if not made:
            made.append(make(app))
        return made[0]

    return document


@contextmanager
def services_with_short_sessions(session_s: int) -> Iterator[TestStack]:
    """Services of a module alone, whose Kafka ends sessions after so many seconds."""
    with pytest.MonkeyPatch.context() as patched, folder_in_memory() as folder:
        for name in ("YESSER_KAFKA", "YESSER_POSTGRES"):
            patched.delenv(name, raising=False)
        patched.setenv("YESSER_KAFKA_SESSION_S", str(session_s))
        with services(folder) as stack:
            yield stack


def _given() -> TestStack:
    given = Settings()
    assert given.kafka is not None
    assert given.postgres is not None
    superuser = {SUPERUSER: {"postgres": urlsplit(given.postgres).password or ""}}
    return TestStack(given.kafka, given.kafka_user, given.kafka_security, superuser, given.postgres, "", given=True)


@contextmanager
def _embedded(home: Path) -> Iterator[TestStack]:
    with running_stack(home, only=("kafka", "postgres"), prepared=False) as settings:
        record = settings.stack()
        assert record.kafka is not None
        assert record.postgres is not None
        passwords = {name: settings.secret(name, SUPERUSER) or "" for name in ("kafka", "postgres")}
        asyncio.run(_make_cheap(record.postgres.port, passwords["postgres"]))
        kafka = f"{HOST}:{record.kafka.port}"
        server = f"postgresql://postgres:{passwords['postgres']}@{HOST}:{record.postgres.port}/postgres"
        yield TestStack(kafka, None, "SASL_PLAINTEXT", {SUPERUSER: passwords}, server, "", given=False)


async def _make_cheap(port: int, superuser_password: str) -> None:
    server = f"postgresql://postgres:{superuser_password}@{HOST}:{port}/postgres"
    for name, value in CHEAP.items():
        await execute(server, f"ALTER SYSTEM SET {name} = {value}")
    await execute(server, "SELECT pg_reload_conf()")
    await execute(server, "SET scram_iterations = 1", f"ALTER ROLE postgres PASSWORD '{superuser_password}'")


async def _migrate(found: TestStack, home: Path) -> TestStack:
    """Create the principals, and migrate the database that every test's own is copied from."""
    template = f"yesser_template_{secrets.token_hex(4)}"
    made = {p: {"postgres": secrets.token_hex(16), "kafka": secrets.token_hex(16)} for p in (*PRINCIPALS, *CONSUMERS)}
    found = replace(found, template=template, passwords={**found.passwords, **made})
    corner = found.settings(home / "template", database=template, corner="template")
    await execute(found.postgres, f"CREATE DATABASE {template}")
    connection = await asyncpg.connect(with_database(found.postgres, template))
    await create_roles(connection, template, {p: made[p]["postgres"] for p in made}, CONSUMERS)
    for name in TEST_CONSUMERS:
        await connection.execute(f"GRANT yesser_projections, yesser_{name}_owner TO yesser_{name} WITH INHERIT TRUE")
        await connection.execute(f"GRANT yesser_projections_owner TO yesser_{name}_owner")
    await connection.close()
    await migrate_database(corner)
    async with admin_client(corner) as admin:
        if found.given and (names := await our_topics(admin)):
            raise RuntimeError(f"The Kafka in YESSER_KAFKA is in use ({names[0]}, …): tests need one of their own.")
        if corner.kafka_user is None and corner.kafka_security.startswith("SASL"):
            # Each test has topics of its own, and all of them have rights.
            topics = ("log_topic", "checkpoints_topic", "texts_topic", "triggers_topic")
            everywhere = corner.model_copy(update=dict.fromkeys(topics, "yesser."))
            await allow_principals(admin, everywhere)
            for name in TEST_CONSUMERS:
                await create_scram_user(raw_client(admin), name, made[name]["kafka"])
                await create_acls(raw_client(admin), [Right(name, Resource.TOPIC, "yesser.", (Operation.READ,))])
    return found


@asynccontextmanager
async def corner(stack: TestStack, home: Path) -> AsyncIterator[Settings]:
    """A fresh database and a Kafka without any of our topics, for one test, which are cleared away afterwards."""
    assert stack.corners is not None
    async with stack.corners.database() as database:
        settings = stack.settings(home, database=database, corner=secrets.token_hex(4))
        write_teams_key(settings)
        yield settings


def superusers_address(settings: Settings) -> str:
    """The address of the superuser of these settings' database."""
    parts = urlsplit(address(settings))
    password = settings.secret("postgres", SUPERUSER)
    return urlunsplit(parts._replace(netloc=f"{database_role(SUPERUSER)}:{password}@{parts.hostname}:{parts.port}"))


def with_database(postgres: str, name: str) -> str:
    """The same server and user, another database."""
    return urlunsplit(urlsplit(postgres)._replace(path=f"/{name}"))
