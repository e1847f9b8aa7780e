"""`/healthz`, `/readyz` and `/metrics` of a process, served in its own event loop, on loopback by default.

Both answers come from positions, since a running task may do nothing. `/readyz` shows whether the process works or
stands by; `/healthz` whether a restart could help. A halt, which needs an operator, is healthy and not ready.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.observability.telemetry import exposition
from infra.settings import Settings

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
    """The progress of one position: call `look` after each batch and each idle poll."""

    clock: Callable[[], float]
    position: int = 0
    end: int = 0
    standby: bool = False
    halted: str | None = None
    paused: dict[str, object] = field(default_factory=dict)
    """Paused parts of the work, shown in the details; the process stays ready."""
    moved_at: float = field(init=False)
    looked: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.moved_at = self.clock()

    def begin(self) -> None:
        """Start of work: the time spent in stand-by does not count as stalled."""
        self.moved_at = self.clock()

    def look(self, position: int, end: int) -> None:
        """Note the position of the process and the end of the log."""
        if position != self.position or position >= end:
            self.moved_at = self.clock()
        self.position, self.end = position, end
        self.looked = True

    def readiness(self) -> Readiness:
        """Ready while standing by, moving, or idle; not before the first `look`."""
        lag = max(0, self.end - self.position)
        idle_s = self.clock() - self.moved_at
        details: dict[str, object] = {
            "role": "standby" if self.standby else "active",
            "position": self.position,
            "log_size": self.end,
            "lag": lag,
            **({"paused": self.paused} if self.paused else {}),
        }
        if self.halted is not None:
            return Readiness(False, details | {"halted": self.halted})
        if self.standby:
            return Readiness(True, details)
        return Readiness(
            ready=self.looked and idle_s < STALLED_AFTER_S,
            details=details | {"seconds_since_moved": round(idle_s, 1)},
            healthy=idle_s < STALLED_AFTER_S + PATIENCE_S,
        )


def application(readiness: Callable[[], Readiness]) -> Starlette:
    async def healthz(_: Request) -> Response:
        state = readiness()
        return _json(200 if state.healthy else 503, {"healthy": state.healthy, **state.details})

    async def readyz(_: Request) -> Response:
        state = readiness()
        return _json(200 if state.ready else 503, {"ready": state.ready, **state.details})

    async def metrics(_: Request) -> Response:
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])


@asynccontextmanager
async def serving(settings: Settings, readiness: Callable[[], Readiness]) -> AsyncIterator[int | None]:
    """Serve while the block runs; yields the port, or None if the settings have none."""
    if settings.health_port == 0:
        yield None
        return
    with _listening(settings.health_host, settings.health_port) as listener:
        server = _Server(
            uvicorn.Config(application(readiness), lifespan="off", access_log=False, log_config=None, ws="none")
        )
        task = asyncio.create_task(server.serve(sockets=[listener]), name="health")
        try:
            yield settings.health_port
        finally:
            server.should_exit = True
            server.force_exit = True
            await task


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process handles signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio disables Nagle's algorithm only for this protocol number.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen()  # from here on connections wait instead of being refused
        except OSError as error:
            raise PortTaken(f"Port {port} of {host} is in use; set another in YESSER_HEALTH_PORT (0: none).") from error
        yield listener


class PortTaken(RuntimeError):
    """The port for /healthz is in use. Set another in YESSER_HEALTH_PORT (0: none)."""


def _json(status: int, document: dict[str, object]) -> Response:
    return Response(orjson.dumps(document, default=str), status, media_type="application/json")
