"""A private authority in a folder of the test, and a TLS server on loopback that shows one of its certificates."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from unittest.mock import patch

from infra.tls import authority as making
from infra.tls.authority import Authority, authority
from infra.tls.certificate_files import KeyPair

NOW = datetime.now(UTC)


def pair(path: Path) -> KeyPair:
    return KeyPair(path, path)


def server_for(own: Authority, *hosts: str) -> Path:
    """A server's certificate for other hosts than this machine's."""
    with patch.object(making, "_LOOPBACK", hosts), patch("socket.gethostname", lambda: "elsewhere.example"):
        return own.server("other")


def private_authority(folder: Path, now: datetime = NOW) -> Authority:
    return authority(folder, now)


class _Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


@asynccontextmanager
async def tls_server(context: ssl.SSLContext) -> AsyncIterator[int]:
    """An echo server; yields its port."""
    server = await asyncio.get_running_loop().create_server(_Echo, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def server_context(path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
