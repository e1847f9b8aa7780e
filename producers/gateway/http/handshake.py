"""Accepts TLS connections. One counts towards the limits from its beginning, not after its handshake: clients that
begin one and stop could otherwise hold any number of connections.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from infra.observability.logs import LogOnce
from infra.process.http_server import Server
from producers.gateway.http.protocol import BoundedProtocol, ConnectionLimits

CLOSE_TIMEOUT_S: Final = 2.0
"""Longest wait for the client's part of closing a connection."""
ACCEPT_AGAIN_S: Final = 1.0
"""Pause where the system has no file left for another connection."""


class SecuredProtocol(BoundedProtocol):
    """A connection whose handshake is done: `counted` ends the handshake's count, and it counts itself."""

    def __init__(self, limits: ConnectionLimits, counted: Callable[[], None], **arguments: Any) -> None:
        super().__init__(limits, **arguments)
        self._counted = counted

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._counted()
        super().connection_made(transport)


class _Count:
    """One connection in the count of all, until `end`."""

    def __init__(self, limits: ConnectionLimits, host: str) -> None:
        self._connections = limits.connections
        self._host: str | None = host
        self.is_refused = self._connections.open(host) is not None

    def end(self) -> None:
        if self._host is not None:
            self._connections.close(self._host)
            self._host = None


@asynccontextmanager
async def accepting(
    listener: socket.socket, server: Server, limits: ConnectionLimits, context: ssl.SSLContext
) -> AsyncIterator[None]:
    """Accept connections for the server while the block runs."""
    listener.setblocking(False)
    task = asyncio.create_task(_accept(listener, server, limits, context), name="tls listener")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _accept(listener: socket.socket, server: Server, limits: ConnectionLimits, context: ssl.SSLContext) -> None:
    loop = asyncio.get_running_loop()
    full = LogOnce("no connection can be accepted", "connections are accepted again")
    handshakes: set[asyncio.Task[None]] = set()
    try:
        while True:
            try:
                connection, peer = await loop.sock_accept(listener)
            except OSError as error:
                full.begins(error)
                await asyncio.sleep(ACCEPT_AGAIN_S)
                continue
            full.ends()
            count = _Count(limits, peer[0])
            if count.is_refused:  # no answer can be given before the handshake
                count.end()
                connection.close()
                continue
            task = loop.create_task(_shake_hands(connection, count, server, limits, context))
            handshakes.add(task)
            task.add_done_callback(handshakes.discard)
    finally:
        for task in handshakes:
            task.cancel()


async def _shake_hands(
    connection: socket.socket, count: _Count, server: Server, limits: ConnectionLimits, context: ssl.SSLContext
) -> None:
    """The handshake, within the time for a request's head. A client that fails it gets no answer."""

    def protocol() -> SecuredProtocol:
        state = {"server_state": server.server_state, "app_state": {}, "_loop": None}
        return SecuredProtocol(limits, count.end, config=server.config, **state)

    try:
        await asyncio.get_running_loop().connect_accepted_socket(
            protocol,
            connection,
            ssl=context,
            ssl_handshake_timeout=limits.head_timeout_s,
            ssl_shutdown_timeout=CLOSE_TIMEOUT_S,
        )
    except OSError:  # also an ssl.SSLError, and the end of the time
        connection.close()
    finally:
        count.end()
