"""A line to a service that can be frozen: it takes connections and bytes, and passes nothing on: a black hole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

from infra.postgres.connection import address
from infra.settings import Settings


class Line:
    """Passes bytes on while `flows` is set."""

    def __init__(self, host: str, port: int) -> None:
        self._to = host, port
        self.flows = asyncio.Event()
        self.flows.set()

    def freeze(self) -> None:
        self.flows.clear()

    def thaw(self) -> None:
        self.flows.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.flows.wait()
        there_reader, there_writer = await asyncio.open_connection(*self._to)
        ways = [
            asyncio.create_task(self._pass_on(reader, there_writer)),
            asyncio.create_task(self._pass_on(there_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, there_writer):
                end.close()
                with suppress(OSError):
                    await end.wait_closed()

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(1 << 16):
            await self.flows.wait()
            target.write(data)
            await target.drain()


@asynccontextmanager
async def line_to_postgres(settings: Settings) -> AsyncIterator[tuple[Line, Settings]]:
    """A line, and settings that lead over it."""
    parts = urlsplit(address(settings))
    line = Line(parts.hostname or "127.0.0.1", parts.port or 5432)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    over = urlunsplit(parts._replace(netloc=f"127.0.0.1:{port}"))
    try:
        yield line, settings.model_copy(update={"postgres": over})
    finally:
        line.thaw()
        server.close()
