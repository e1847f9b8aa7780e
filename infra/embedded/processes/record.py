"""`stack.json`: the record of what runs where, written by the supervisor at every change.

Ports stay recorded after a stop, so that the next start reuses those that are free.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from infra.embedded.processes.identity import Identity, Start
from infra.embedded.processes.signals import SERVICES
from infra.embedded.servers.ports import HOST
from infra.secret_files import private_file

State = Literal["starting", "ready", "unready", "halted", "restarting", "stopped", "failed"]


@dataclass(slots=True)
class ProcessRecord:
    """The state of a child. Restarts count since the supervisor started.

    `halted` is the reason of a process that needs an operator. `health_host` and `health_port` serve `/readyz`; `port`
    is where the process serves clients, if it does.
    """

    name: str
    state: State = "starting"
    pid: int | None = None
    started: Start | None = None
    restarts: int = 0
    health_host: str = HOST
    health_port: int | None = None
    port: int | None = None
    halted: str | None = None


@dataclass(slots=True)
class StackRecord:
    """The state of the stack. `kafka` and `postgres` are absent where external services are used."""

    home: str
    supervisor: Identity | None
    ready: bool = False
    tls: bool = False
    kafka: dict[str, Any] | None = None
    postgres: dict[str, Any] | None = None
    processes: list[ProcessRecord] = field(default_factory=list)
    ports: dict[str, dict[str, int]] = field(default_factory=dict)
    """The ports of every part that ever ran here, by its name: a part that is left out for once keeps its own."""

    def document(self) -> dict[str, Any]:
        document = asdict(self)
        return {name: value for name, value in document.items() if value is not None}


def write(path: Path, record: StackRecord) -> None:
    """Replace the file atomically."""
    with private_file(path) as file:
        file.write(f"{json.dumps(record.document(), indent=1)}\n".encode())


def known_ports(record: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """The ports of each part at its last run. A record of an earlier release has those of the last run alone."""
    parts = {entry["name"]: entry for entry in (*record.get("processes", []), *_services(record))}
    run = {name: {n: v for n, v in part.items() if n.endswith("port") and v} for name, part in parts.items()}
    return {**run, **record.get("ports", {})}


def _services(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [record[name] | {"name": name} for name in SERVICES if name in record]


def read(path: Path) -> dict[str, Any]:
    """The record; empty if no stack was ever started or the file is damaged."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
