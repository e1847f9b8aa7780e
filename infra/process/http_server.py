"""An HTTP server (uvicorn) in a task of the running process, on a socket that is bound before it starts."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import uvicorn

from events.errors import YesserError
from infra.process.request_heads import HeadLimits

_BACKLOG: Final = 1_024
_PLAIN: Final = {"ws": "none", "lifespan": "off", "access_log": False, "log_config": None}


class CannotListen(YesserError):
    """This address or port cannot be listened on: it is not this machine's, or the user may not."""


class PortTaken(CannotListen):
    """The port is used by another process."""


@contextmanager
def listening(host: str, port: int, setting: str) -> Iterator[socket.socket]:
    """A socket that takes connections from here on. Raises `PortTaken` and `CannotListen`, which name the setting."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off: else an answer's second part waits 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(_BACKLOG)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(f"Port {port} of {host} is taken; name another in {setting}.") from error
            raise CannotListen(
                f"Nothing can listen on port {port} of {host} ({error.strerror}): name an address of this machine, or"
                f" another port in {setting}."
            ) from error
        yield listener


class Server(uvicorn.Server):
    """uvicorn in a task, without its signal handlers: the process stops it."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket | None) -> None:
        super().__init__(config)
        listeners = [] if listener is None else [listener]
        self.task = asyncio.create_task(self.serve(sockets=listeners), name="http server")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def running(
    app: Any, listener: socket.socket | None, *, stop_wait_s: int = 0, **options: Any
) -> AsyncIterator[Server]:
    """Answer while the block runs; then let requests under way end for at most `stop_wait_s` seconds.

    Without a `listener` the caller accepts the connections.
    `options` are those of `uvicorn.Config`. Raises what the server fails with.
    """
    options = {"http": HeadLimits, **_PLAIN, **options, "timeout_graceful_shutdown": stop_wait_s or None}
    server = Server(uvicorn.Config(app, **options), listener)
    try:
        yield server
    finally:
        server.should_exit = True
        server.force_exit = stop_wait_s == 0
        await server.task
