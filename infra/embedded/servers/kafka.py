"""Apache Kafka, each node broker and controller: settings, one-time format, command line.

Everything runs as in production: SCRAM-SHA-512 for clients, ACLs, no rights by default. Passwords are in files that
only the owner can read; `java @file` keeps them off the command line.
Java runs in Kafka's folder with relative names: Kafka would read a comma in a path as a list, and a properties file
as Latin-1. `UTF_8` makes Java decode the folder's name correctly.

An archive of the classes that Kafka loads halves the time of its start; stacks of a machine share it. The first broker
records its classes; a later start makes the archive of them. Both take seconds of a processor, and the second one is no
part of a broker's end, which has a deadline. While one supervisor records or makes it, which a lock says, the others
start their brokers without.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import shutil
import signal
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

import structlog

from infra.embedded.servers.one_time_tool import run_tool
from infra.embedded.servers.ports import HOST
from infra.errors import StackError
from infra.observability.logs import first_line
from infra.principals import SCRAM_ITERATIONS
from infra.secret_files import write_private

TOOL_TIMEOUT_S: Final = 300
UTF_8: Final[dict[str, str]] = {"LC_ALL": "C.UTF-8"}
DATA: Final = Path("data")
UNFINISHED: Final = Path("data.unfinished")
QUORUM: Final = Path("__cluster_metadata-0")
"""The controllers' log: topics, users, rights."""
LOG4J_OPTION: Final = "-Dlog4j2.configurationFile=log4j2.properties"
MAIN_CLASS: Final = "kafka.Kafka"
SCRAM_LOGIN: Final = "org.apache.kafka.common.security.scram.ScramLoginModule"
PLAIN_LOGIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule"

_FOLDER: Final = Path(__file__).parent
_OF_CONTAINERS: Final = frozenset({"advertised.listeners", "connections.max.reauth.ms"})
"""Settings of `kafka-compose.properties` that the broker here has not, or as its session is set."""

AUTHORITY_FILE: Final = "authority.pem"
CERTIFICATE_FILE: Final = "certificate.pem"

JVM_OPTIONS: Final = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    # The optimizing compiler costs more than it saves: docs/decisions/embedded-kafka-is-compiled-quickly.md
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    # The archive holds loaded classes only: this runtime rejects archived machine code.
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-AOTAdapterCaching",
    "-XX:-AOTStubCaching",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
    "-Djava.net.preferIPv4Stack=true",
)


Ports: TypeAlias = Mapping[str, int]
"""Those of clients (`port`) and of the controller (`controller_port`); with TLS, those of agencies by password
(`tls_port`) and by certificate (`mutual_tls_port`)."""


SMALL_HEAP: Final = ("-Xms64m", "-Xmx256m")
"""Of each of three brokers on one machine. The last value of an option counts."""


@dataclass(frozen=True, slots=True)
class Java:
    """The runtime, the class path in its fixed order, the archive that speeds up starts (created if absent), and the
    limits of the heap where they are not the usual ones."""

    executable: Path
    jars: Sequence[Path]
    archive: Path | None
    heap: Sequence[str] = ()


def server_properties(
    data: Path, ports: Ports, passwords: Mapping[str, str], extra: Mapping[str, str] | None = None
) -> str:
    """The text of `server.properties`; `passwords` holds those of `admin` and `controller`."""
    admin, controller = passwords["admin"], passwords["controller"]
    properties = {
        # Addresses and passwords in them are those of the container, which follow here.
        **{name: value for name, value in _properties("kafka-compose.properties") if name not in _OF_CONTAINERS},
        "log.dirs": str(data),
        "listeners": _listeners(ports),
        # A fixed quorum: ports may differ after a restart, which a recorded (dynamic) quorum does not allow.
        "controller.quorum.voters": f"1@{HOST}:{ports['controller_port']}",
        "listener.name.sasl.scram-sha-512.sasl.jaas.config": (
            f'{SCRAM_LOGIN} required username="admin" password="{admin}";'
        ),
        "listener.name.controller.plain.sasl.jaas.config": (
            f'{PLAIN_LOGIN} required username="controller" password="{controller}" user_controller="{controller}";'
        ),
        **(extra or {}),
    }
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def cluster_properties(node: int, controller_ports: Sequence[int]) -> dict[str, str]:
    """The settings of a node of several, counted from 1: a record is acknowledged when all copies but one have it."""
    copies, least = str(len(controller_ports)), str(len(controller_ports) - 1)
    voters = (f"{number}@{HOST}:{port}" for number, port in enumerate(controller_ports, 1))
    return {
        "node.id": str(node),
        "controller.quorum.voters": ",".join(voters),
        "default.replication.factor": copies,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "share.coordinator.state.topic.replication.factor": copies,
        "min.insync.replicas": least,
        "transaction.state.log.min.isr": least,
        "share.coordinator.state.topic.min.isr": least,
        # All are stopped at once: the last one would wait for a quorum that has ended.
        "controlled.shutdown.enable": "false",
    }


def _properties(file: str) -> Iterator[tuple[str, str]]:
    for line in (_FOLDER / file).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name, value


def _listeners(ports: Ports) -> str:
    return f"SASL://{HOST}:{ports['port']},CONTROLLER://{HOST}:{ports['controller_port']}"


def session_properties(seconds: int) -> dict[str, str]:
    """A login lasts this long: a password that was replaced also ends the connections that were opened with it."""
    return {"connections.max.reauth.ms": str(seconds * 1000)}


def tls_properties(ports: Ports) -> dict[str, str]:
    """The settings of the listeners for agencies. The platform's own connections stay on loopback and plain."""
    agencies = f"AGENCIES://{HOST}:{ports['tls_port']},CERTIFICATES://{HOST}:{ports['mutual_tls_port']}"
    return {**dict(_properties("kafka-tls.properties")), "listeners": f"{_listeners(ports)},{agencies}"}


def java_command(java: Java) -> list[str]:
    """The broker's command line, to be run in Kafka's folder; it has no password and no address."""
    return [str(java.executable), *_options(java), MAIN_CLASS, "server.properties"]


def _options(java: Java) -> list[str]:
    archive = [] if java.archive is None else [f"-XX:AOTCache={java.archive}"]
    return [*JVM_OPTIONS, *java.heap, *archive, LOG4J_OPTION, "-cp", os.pathsep.join(map(str, java.jars))]


def write_configuration(
    folder: Path,
    ports: Ports,
    passwords: Mapping[str, str],
    session_s: int,
    certificates: Path | None = None,
    cluster: Mapping[str, str] | None = None,
) -> None:
    """Write the broker's files; ports may have changed since the last start. `certificates`: the folder of the private
    authority, with TLS; `cluster`: `cluster_properties`, where it is one of several."""
    write_private(folder / "log4j2.properties", (_FOLDER / "kafka-log4j2.properties").read_text("utf-8"))
    extra = session_properties(session_s) | dict(cluster or {})
    if certificates is not None:
        extra |= tls_properties(ports)
        write_private(folder / AUTHORITY_FILE, (certificates / "ca.pem").read_text("ascii"))
        write_private(folder / CERTIFICATE_FILE, (certificates / "kafka.pem").read_text("ascii"))
    write_private(folder / "server.properties", server_properties(DATA, ports, passwords, extra))


def make_archive(java: Java, folder: Path, environment: Mapping[str, str], classes: Path, archive: Path) -> None:
    """Make the archive of a list of classes that a broker has recorded."""
    options = ("-XX:AOTMode=create", f"-XX:AOTConfiguration={classes}", f"-XX:AOTCache={archive}")
    executable, *arguments = java_command(java)
    command = [executable, *options, *arguments]
    run_tool(command, "The archive of Kafka's classes", folder, TOOL_TIMEOUT_S, cwd=folder, env=environment)


def format_storage(java: Java, folder: Path, ports: Ports, passwords: Mapping[str, str]) -> None:
    """Create the storage with the user `admin` unless it exists; `yesser prepare` creates the others.

    It is created under another name and renamed, so that an interrupted format is never taken for complete.
    """
    data, unfinished = folder / DATA, folder / UNFINISHED
    if data.exists():
        return
    shutil.rmtree(unfinished, ignore_errors=True)
    properties = folder / "format.properties"
    arguments = folder / "format.arguments"
    write_private(properties, server_properties(UNFINISHED, ports, passwords))
    write_private(arguments, _argument_file(_format_arguments(java, properties.name, passwords)))
    try:
        command = [str(java.executable), f"@{arguments.name}"]
        run_tool(command, "Kafka's storage", folder, TOOL_TIMEOUT_S, cwd=folder, env=os.environ | UTF_8)
    finally:
        arguments.unlink(missing_ok=True)
        properties.unlink(missing_ok=True)
    unfinished.rename(data)


def copy_storage(source: Path, folder: Path, node: int, *, with_quorum: bool) -> None:
    """Create the storage of another node of the cluster to which `source` belongs, without records.

    With the controllers' log it may vote from its first start on: only while no node runs. Without it, it is a node
    that lost its disk: only while the others have a quorum, which then give it all that it lacks.
    """
    data, unfinished = source / DATA, folder / UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    own = {"node.id": str(node), "directory.id": _new_id()}
    lines = (line.partition("=") for line in (data / "meta.properties").read_text("utf-8").splitlines())
    text = "".join(f"{name}={own.get(name, value)}\n" for name, _, value in lines if not name.startswith("#"))
    write_private(unfinished / "meta.properties", text)
    if with_quorum and (data / QUORUM).exists():
        shutil.copytree(data / QUORUM, unfinished / QUORUM, ignore=shutil.ignore_patterns("quorum-state"))
    os.sync()
    unfinished.rename(folder / DATA)


def _new_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A", 1)


def _format_arguments(java: Java, properties: str, passwords: Mapping[str, str]) -> list[str]:
    admin = f"SCRAM-SHA-512=[name=admin,iterations={SCRAM_ITERATIONS},password={passwords['admin']}]"
    tool = ("kafka.tools.StorageTool", "format")
    return [*_options(java), *tool, "-t", _new_id(), "-c", properties, "--add-scram", admin]


def _argument_file(arguments: Sequence[str]) -> str:
    """One quoted argument per line, as the `java` launcher reads it."""
    return "".join('"' + a.replace("\\", "\\\\").replace('"', '\\"') + '"\n' for a in arguments)


def archive_name(java_version: str, jars: Sequence[Path]) -> str:
    """The archive's file name, which depends on the runtime, the jars and their paths."""
    key = "\n".join([java_version, *JVM_OPTIONS, *map(str, jars)])
    return f"kafka-{hashlib.sha256(key.encode()).hexdigest()[:12]}.aot"


ENDED: Final = (0, 128 + signal.SIGTERM)
"""The exit codes of a broker that ended by itself. Of one that was killed, the list of classes may have no end."""

logger = structlog.get_logger("supervisor")


class ClassArchive:
    """The archive at `path`, in a folder that other stacks use too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._classes = path.with_name(f"{path.name}.classes")
        self._unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        self._lock: BinaryIO | None = None

    def prepare(self, make: Callable[[Path, Path], None]) -> Path | None:
        """The archive for a start; None where there is none yet. `make` makes it (its second argument) of a list of
        classes; where it fails the broker starts without, and another one records anew."""
        if not self.path.exists() and self._locked():
            for left in self.path.parent.glob(f".{self.path.name}.*"):
                left.unlink(missing_ok=True)
            if self._classes.exists():
                self._make(make)
                self._unlock()
        return self.path if self.path.exists() else None

    def options(self) -> list[str]:
        """Java's options by which the broker records its classes, if it is its turn."""
        return [] if self._lock is None else ["-XX:AOTMode=record", f"-XX:AOTConfiguration={self._unfinished}"]

    def ended(self, code: int | None, *, was_ready: bool) -> None:
        """Keep the list of a broker that ended by itself, unless it was never ready and so loaded too few classes."""
        if self._lock is None:
            return
        if was_ready and code in ENDED and self._unfinished.exists():
            self._unfinished.replace(self._classes)
        self._unfinished.unlink(missing_ok=True)
        self._unlock()

    def _make(self, make: Callable[[Path, Path], None]) -> None:
        try:
            make(self._classes, self._unfinished)
            self._unfinished.replace(self.path)
        except (OSError, StackError) as error:
            logger.warning("Kafka starts without an archive of its classes", error=first_line(error))
            self._unfinished.unlink(missing_ok=True)
        self._classes.unlink(missing_ok=True)

    def _locked(self) -> bool:
        """Take the lock, which the system frees when the process ends; whether that is possible."""
        try:
            lock = self.path.with_name(f"{self.path.name}.lock").open("ab")
        except OSError:  # the folder is for reading only
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None
