"""An HTTP server (uvicorn) in a task of the running process, on a socket that is bound before it starts.

uvicorn's HTTP protocol has limits for the head of a request: its time and its bytes. Without them a client that sends
half a head, or nothing after an answer, keeps its connection, and one that sends a head without an end fills the
memory. The gateway's protocol is one of these, which limits more.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from asyncio.events import TimerHandle
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from events.errors import YesserError

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

    async def until(self, stop: asyncio.Event) -> None:
        """Wait until `stop` is set, or the server ends by itself."""
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([self.task, stopped], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()

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


HEAD_TIMEOUT_S: Final = 10.0
"""Longest wait for the head of a request, also for the next one that has begun; then the connection is closed."""
HEAD_BYTES_MAX: Final = 65_536


class HeadLimits(HttpToolsProtocol):
    """One connection. While no request is being served, it has a deadline."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.head_timeout_s = HEAD_TIMEOUT_S
        self.deadline: TimerHandle | None = None
        self.bytes_beside_bodies = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.bytes_beside_bodies += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.bytes_beside_bodies > HEAD_BYTES_MAX:
            self._close(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self.deadline is None and not self.is_serving:
            self.start_deadline()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.bytes_beside_bodies = 0
        self.stop_deadline()

    def on_body(self, body: bytes) -> None:
        self.bytes_beside_bodies = 0
        super().on_body(body)

    @property
    def is_serving(self) -> bool:
        """Whether a request's head is complete and its answer is not."""
        return self.cycle is not None and not self.cycle.response_complete

    def start_deadline(self) -> None:
        self.deadline = self.loop.call_later(self.head_timeout_s, self._give_up)

    def _give_up(self) -> None:
        self._close(HTTPStatus.REQUEST_TIMEOUT)

    def stop_deadline(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    def _close(self, status: HTTPStatus) -> None:
        """Close the connection. It gets an answer unless that could be mistaken for the answer to another request."""
        self.stop_deadline()
        if self.bytes_beside_bodies and not self.is_serving:
            head = f"HTTP/1.1 {status} {status.phrase}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            self.transport.write(head.encode())
        self.transport.close()
