"""A line to PostgreSQL that is cut: after so many bytes of what the server says."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from infra.embedded.servers.ports import HOST

PIECE = 4096


class CutLine:
    """Passes connections on to a port until `bytes_left` are used up; then it cuts all, and refuses new ones."""

    def __init__(self, to_port: int, bytes_left: int) -> None:
        self.passed = 0
        self._to_port = to_port
        self._bytes_left = bytes_left
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._stop: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        self._started = threading.Event()

    def open(self) -> None:
        self._thread.start()
        self._started.wait()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._pass_on, sock=self._listener)
        self._started.set()
        await self._stop.wait()
        server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            from_server, to_server = await asyncio.open_connection(HOST, self._to_port)
            asking = asyncio.create_task(_copy(reader, to_server))
            try:
                while self._bytes_left > 0 and (data := await from_server.read(PIECE)):
                    data = data[: self._bytes_left]
                    self._bytes_left -= len(data)
                    self.passed += len(data)
                    writer.write(data)
                    await writer.drain()
            finally:
                asking.cancel()
                to_server.close()
        writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(PIECE):
            writer.write(data)
            await writer.drain()


@contextmanager
def cut_line(to_port: int, bytes_left: int = 1 << 40) -> Iterator[CutLine]:
    """A line for the length of a `with`; whole unless `bytes_left` says otherwise."""
    line = CutLine(to_port, bytes_left)
    line.open()
    try:
        yield line
    finally:
        line.close()
