"""`/healthz`, `/readyz` and `/metrics` of a process, served in its own event loop, on loopback by default.

Both answers come from positions, since a running task may do nothing. `/readyz` shows whether the process works or
stands by; `/healthz` whether a restart could help. A halt, which needs an operator, is healthy and not ready.

What an operator watches beside the processes (free disk, WAL, certificates, whether the services answer) is measured
when metrics are read, by every process: each may run on a machine of its own.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

import orjson
from cryptography import x509
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.data_dir import DataDir
from infra.observability.telemetry import GaugeName, Labels, exposition, gauge
from infra.postgres.connection import NoDatabase, address, servers
from infra.process.http_server import listening, running
from infra.settings import Settings, places
from infra.stack_record import BROKERS, accepts, broker_answers, database_answers

STALLED_AFTER_S: Final = 30.0
"""A process that is behind and has not moved for this long is stalled: not ready, and to be restarted."""

PATIENCE_S: Final = 60.0
"""A process that cannot reach its services counts as healthy for this long after it last moved."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """The state of a process. `details` are numbers and reasons, never a subject, a key or a payload."""

    ready: bool
    details: dict[str, object] = field(default_factory=dict)
    healthy: bool = True


@dataclass(slots=True)
class Progress:
    """The progress of one position: call `look` after each batch and each idle poll.

    Without `positions` there is only the time: call `begin` after each piece of work and each idle poll.
    """

    clock: Callable[[], float]
    position: int = 0
    end: int = 0
    standby: bool = False
    owner: str | None = None
    """Who works under the lease: its machine, and a name of the process."""
    halted: str | None = None
    alarm: str | None = None
    """What an operator must look at while the work continues: the process is not ready."""
    paused: dict[str, dict[str, str]] = field(default_factory=dict)
    """Paused topics: until when, and why, in Arabic and English. The process stays ready."""
    rebuilding: dict[str, dict[str, int]] = field(default_factory=dict)
    """Consumers whose rows of another version are rebuilt before anything is applied: `entries` folded, `of` all."""
    held_by: dict[str, str] = field(default_factory=dict)
    """Consumers that wait for a lock, and the session that has it."""
    positions: bool = True
    moved_at: float = field(init=False)
    looked: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.moved_at = self.clock()

    def begin(self) -> None:
        """Work begins or was done: the time until now does not count as stalled."""
        self.moved_at = self.clock()

    def look(self, position: int, end: int) -> None:
        """Note the position of the process and the end of the log."""
        if position != self.position or position >= end:
            self.moved_at = self.clock()
        self.position, self.end = position, end
        self.looked = True

    def readiness(self) -> Readiness:
        """Ready while standing by, moving, or idle; not before the first `look`."""
        idle_s = self.clock() - self.moved_at
        moved: dict[str, object] = {"seconds_since_moved": round(idle_s, 1)}
        details: dict[str, object] = {"role": "standby" if self.standby else "active"}
        if self.owner is not None:
            details["owner"] = self.owner
        if self.positions:
            lag = max(0, self.end - self.position)
            details |= {"position": self.position, "log_size": self.end, "lag": lag}
        else:
            details |= moved
        told = {"paused": self.paused, "rebuilding": self.rebuilding, "held_by": self.held_by}
        details |= {name: found for name, found in told.items() if found}
        if halted := self.halted or self.alarm:
            return Readiness(False, details | {"halted": halted})
        if self.standby:
            return Readiness(True, details)
        return Readiness(
            ready=(self.looked or not self.positions) and idle_s < STALLED_AFTER_S,
            details=details | moved,
            healthy=idle_s < STALLED_AFTER_S + PATIENCE_S,
        )


def application(readiness: Callable[[], Readiness], measure: Callable[[], Measured] = lambda: iter(())) -> Starlette:
    async def healthz(_: Request) -> Response:
        state = readiness()
        return _json(200 if state.healthy else 503, {"healthy": state.healthy, **state.details})

    async def readyz(_: Request) -> Response:
        state = readiness()
        return _json(200 if state.ready else 503, {"ready": state.ready, **state.details})

    async def metrics(_: Request) -> Response:
        for name, value, labels in await asyncio.to_thread(list, measure()):
            gauge(name, value, **labels)
        gauge("ready", readiness().ready)
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])


@asynccontextmanager
async def serving(settings: Settings, readiness: Callable[[], Readiness]) -> AsyncIterator[int | None]:
    """Serve while the block runs; yields the port, or None if the settings have none."""
    if settings.health_port == 0:
        yield None
        return
    with listening(settings.health_host, settings.health_port, "YESSER_HEALTH_PORT (0: none)") as listener:
        async with running(application(readiness, partial(measure, settings)), listener):
            yield settings.health_port


def _json(status: int, document: dict[str, object]) -> Response:
    return Response(orjson.dumps(document, default=str), status, media_type="application/json")


Measured: TypeAlias = Iterator[tuple[GaugeName, float, Labels]]


def measure(settings: Settings) -> Measured:
    """The gauges. What is not on this machine, or may not be read, is left out. It blocks for a second at most for each
    server that does not answer."""
    home = DataDir.at(settings.home)
    brokers = {name: home.broker(name) for name in BROKERS}
    folders = {"home": home.root, "postgres": home.postgres, **brokers, "backup": settings.backup}
    for name, folder in folders.items():
        if folder is not None and folder.exists():
            usage = shutil.disk_usage(folder)
            yield "disk_free_ratio", usage.free / usage.total, {"folder": name}
    with suppress(OSError):
        files = [path.stat() for path in (home.postgres / "data" / "pg_wal").iterdir() if path.is_file()]
        yield "wal_bytes", sum(file.st_size for file in files), {}
    for path in (settings.gateway_certificate, settings.tls_certificate, settings.tls_ca, *home.tls.glob("*.pem")):
        if path is not None:
            yield from _certificate(path)
    for service, named in _services(settings).items():
        answers = accepts if service == "kafka" else database_answers
        yield "service_reachable", any(answers(port, host) for host, port in named), {"service": service}
    for broker, port in ({} if settings.kafka else settings.stack().kafka_ports()).items():
        yield "service_reachable", broker_answers(port), {"service": broker}


def _certificate(path: Path) -> Measured:
    with suppress(OSError, ValueError):
        first = x509.load_pem_x509_certificates(path.read_bytes())[0]
        yield "certificate_expires_timestamp_seconds", first.not_valid_after_utc.timestamp(), {"file": path.name}


def _services(settings: Settings) -> dict[str, list[tuple[str, int]]]:
    """Where each service is: Kafka, PostgreSQL, and each of its servers if there are several."""
    found = {"kafka": [*places(settings.kafka or "", 9092)]}
    with suppress(NoDatabase):
        found["postgres"] = servers(address(settings))
        if len(found["postgres"]) > 1:
            found |= {f"postgres {host}:{port}": [(host, port)] for host, port in found["postgres"]}
    return {service: named for service, named in found.items() if named}
