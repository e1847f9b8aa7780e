"""A line to a service that is cut after so many bytes of what the server says, or frozen for a while."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from infra.embedded.servers.ports import HOST

PIECE = 4096


class CutLine:
    """Passes connections on to a port until `bytes_left` are used up; then it cuts all, and refuses new ones.

    While it is frozen it passes nothing on, and closes nothing: what was sent arrives late. Where Kafka tells its
    clients its own address, they get that of the line.
    """

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
        self._asking: asyncio.Event
        self._answering: asyncio.Event
        self._connections: set[asyncio.Task[None]] = set()
        self._told, self._tell = (HOST.encode() + struct.pack(">i", port) for port in (to_port, self.port))

    def open(self) -> None:
        self._thread.start()
        self._started.wait()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def freeze(self, *, questions: bool = True, answers: bool = True) -> None:
        """Pass nothing on from now, or nothing in one direction: what clients send, or what the server says."""
        for passing, is_frozen in ((self._asking, questions), (self._answering, answers)):
            if is_frozen:
                self._do(passing.clear)

    def thaw(self) -> None:
        """Pass on what was sent meanwhile, and what follows."""
        for passing in (self._asking, self._answering):
            self._do(passing.set)

    def _do(self, act: Callable[[], object]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(act)
        self._loop.call_soon_threadsafe(done.set)
        done.wait()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._asking, self._answering = asyncio.Event(), asyncio.Event()
        self._asking.set()
        self._answering.set()
        server = await asyncio.start_server(self._accept, sock=self._listener)
        self._started.set()
        await self._stop.wait()
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await asyncio.sleep(0.01)  # transports close their sockets a moment later

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):
                await self._asking.wait()
                from_server, to_server = await asyncio.open_connection(HOST, self._to_port)
                asking = asyncio.create_task(self._copy(reader, to_server))
                try:
                    await self._answer(from_server, writer)
                finally:
                    asking.cancel()
                    to_server.transport.abort()
        finally:
            writer.transport.abort()

    async def _answer(self, from_server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while self._bytes_left > 0 and (data := await from_server.read(PIECE)):
            data = data.replace(self._told, self._tell)[: self._bytes_left]
            self._bytes_left -= len(data)
            self.passed += len(data)
            await self._answering.wait()
            writer.write(data)
            await writer.drain()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(PIECE):
                await self._asking.wait()
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
