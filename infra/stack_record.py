"""`stack.json`: what runs where in an embedded stack, written by its supervisor at every change.

Ports stay recorded after a stop, so that the next start reuses those that are free.

It also says whether a server works, without a login.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict

LOOPBACK: Final = "127.0.0.1"
BROKERS: Final = ("kafka", "kafka-2", "kafka-3")
"""The brokers that a stack may have: the first alone, or all three. Their numbers on Kafka are 1, 2 and 3."""
Start: TypeAlias = str | float
"""When a process started: the machine's boot and the clock ticks since then, which no correction of the clock changes.
Seconds since 1970 on systems without them, and in records of earlier releases."""
State = Literal["starting", "ready", "unready", "halted", "restarting", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class Identity:
    """A recorded process: its pid and when it started, since the system reuses pids."""

    pid: int
    started: Start


class ServiceRecord(Struct, kw_only=True):
    """Kafka or PostgreSQL of the stack: where it answers, and the state of its process."""

    address: str | UnsetType = UNSET
    """Of PostgreSQL, without a user."""
    port: int
    controller_port: int | UnsetType = UNSET
    tls_port: int | UnsetType = UNSET
    mutual_tls_port: int | UnsetType = UNSET
    state: State = "starting"
    pid: int | None = None
    started: Start | None = None
    restarts: int = 0


class ProcessRecord(Struct):
    """The state of a child. Restarts count since the supervisor started.

    `halted` is the reason of a process that needs an operator. `health_host` and `health_port` serve `/readyz`; `port`
    is where the process serves clients, if it does.
    """

    name: str
    state: State = "starting"
    pid: int | None = None
    started: Start | None = None
    restarts: int = 0
    health_host: str = LOOPBACK
    health_port: int | None = None
    port: int | None = None
    halted: str | None = None


class StackRecord(Struct):
    """The state of the stack. `kafka` and `postgres` are None where external services are used."""

    home: str = ""
    supervisor: Identity | None = None
    ready: bool = False
    tls: bool = False
    kafka: ServiceRecord | None = None
    postgres: ServiceRecord | None = None
    processes: list[ProcessRecord] = []
    brokers: dict[str, ServiceRecord] = {}
    """The brokers beside the first, by name."""
    ports: dict[str, dict[str, int]] = {}
    """The ports of every part that ever ran here, by its name: a part that is left out for once keeps its own."""

    @property
    def parts(self) -> dict[str, ServiceRecord | ProcessRecord]:
        """The parts that the stack has, by name: the processes, then its own services."""
        services = {"kafka": self.kafka, **self.brokers, "postgres": self.postgres}
        parts: dict[str, ServiceRecord | ProcessRecord] = {process.name: process for process in self.processes}
        return parts | {name: service for name, service in services.items() if service is not None}

    def identities(self) -> dict[str, Identity]:
        """Every process that was running, by the name of its part."""
        return {name: Identity(p.pid, p.started) for name, p in self.parts.items() if p.pid and p.started}

    def known_ports(self) -> dict[str, dict[str, int]]:
        """The ports of each part at its last run. A record of an earlier release has those of the last run alone."""
        last = {
            name: {field: port for field, port in asdict(part).items() if field.endswith("port") and port}
            for name, part in self.parts.items()
        }
        return {**last, **self.ports}

    def note_service(self, name: str, service: ServiceRecord) -> None:
        """Keep the state of one of the stack's own services."""
        if name in BROKERS[1:]:
            self.brokers[name] = service
        else:
            setattr(self, name, service)

    def kafka_ports(self, listener: str = "port") -> dict[str, int]:
        """Where each broker serves a listener (a name of `ServiceRecord`), by its name; none without Kafka or it."""
        brokers = {} if self.kafka is None else {BROKERS[0]: self.kafka, **self.brokers}
        ports = {name: getattr(broker, listener) for name, broker in brokers.items()}
        return {name: port for name, port in ports.items() if port is not UNSET}

    def kafka_servers(self, listener: str = "port") -> str:
        """The same as `host:port[,host:port]`."""
        return ",".join(f"{LOOPBACK}:{port}" for port in self.kafka_ports(listener).values())

    def port_of(self, process: str) -> int | None:
        """Where the process serves clients; None if it does not run here."""
        return next((entry.port for entry in self.processes if entry.name == process), None)


def read_record(path: Path) -> StackRecord:
    """The record; an empty one if no stack was ever started or the file is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=StackRecord)
    except (FileNotFoundError, ValueError):
        return StackRecord()


TIMEOUT_S: Final = 1.0
_API_VERSIONS: Final = struct.pack(">ihhih", 10, 18, 0, 1, -1)
"""Its length, API key 18, version 0, a number that is repeated in the answer, and no name of a client."""
_SSL_REQUEST: Final = struct.pack(">ii", 8, 80877103)
"""Its length, and the code in the place of a version."""


def accepts(port: int, host: str = LOOPBACK) -> bool:
    """Whether a connection is accepted. The system does that for a process that is stopped or hangs, too."""
    try:
        with socket.create_connection((host, port), TIMEOUT_S):
            return True
    except OSError:
        return False


def broker_answers(port: int, timeout_s: float = TIMEOUT_S) -> bool:
    """Whether the broker at this port of this machine, a listener without TLS, says in time which requests it knows
    (ApiVersions), which it does before anybody signs in."""
    return _answers(LOOPBACK, port, _API_VERSIONS, 8, timeout_s)


def database_answers(port: int, host: str = LOOPBACK) -> bool:
    """Whether PostgreSQL says in time if it has TLS (SSLRequest), which it does before anybody signs in."""
    return _answers(host, port, _SSL_REQUEST, 1, TIMEOUT_S)


def _answers(host: str, port: int, request: bytes, length: int, timeout_s: float) -> bool:
    try:
        with socket.create_connection((host, port), timeout_s) as connection:
            connection.sendall(request)
            return len(connection.recv(length, socket.MSG_WAITALL)) == length
    except OSError:
        return False
