"""A TCP proxy before Kafka that cuts connections at random bytes (the end of a stream, a reset, a while of silence), or
freezes those that there are, as a machine that was paused or unplugged does.

Kafka tells its clients where it is. The proxy puts its own port in there, so that every connection comes through it.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, Literal

Cut = Literal["end", "reset", "silence"]
CUTS: Final[tuple[Cut, ...]] = ("end", "reset", "silence")
BYTES_MAX: Final = 6_000
"""A connection that does nothing but begin exchanges about 2,000 bytes with Kafka."""

SILENCE_S: Final = 1.0
_HOST: Final = "127.0.0.1"
_NO_LINGER: Final = struct.pack("ii", 1, 0)


class CuttingProxy:
    """Forwards to Kafka's `port`; while `cutting` is set, each connection is cut after a random number of bytes."""

    def __init__(self, port: int, seed: int) -> None:
        self._kafka_port = port
        self._random = random.Random(seed)
        self._connections: dict[asyncio.Task[None], _Budget] = {}
        self.port = 0
        self.cutting = False
        self.cuts: Counter[Cut] = Counter()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[CuttingProxy]:
        """The proxy at work on a port of its own."""
        server = await asyncio.start_server(self._begin, _HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    def freeze(self) -> None:
        """From here on the connections that there are carry nothing more, and stay open."""
        for budget in self._connections.values():
            budget.is_frozen = True

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        budget = _Budget(self._random.randint(0, BYTES_MAX) if self.cutting else None)
        task = asyncio.create_task(self._connected(reader, writer, budget))
        self._connections[task] = budget
        task.add_done_callback(self._connections.pop)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, budget: _Budget) -> None:
        kafka_writer: asyncio.StreamWriter | None = None
        try:
            kafka_reader, kafka_writer = await asyncio.open_connection(_HOST, self._kafka_port)
            forwarding = [
                asyncio.ensure_future(_forward(reader, kafka_writer, budget)),
                asyncio.ensure_future(_forward(kafka_reader, writer, budget, self._own_address)),
            ]
            await asyncio.wait(forwarding, return_when=asyncio.FIRST_COMPLETED)
            for direction in forwarding:
                direction.cancel()
            await asyncio.gather(*forwarding, return_exceptions=True)
            if budget.is_spent:
                await self._cut(writer)
        except OSError:  # Kafka is away
            pass
        finally:
            for each in (writer, kafka_writer):
                if each is not None:
                    each.close()

    async def _cut(self, writer: asyncio.StreamWriter) -> None:
        cut = self._random.choice(CUTS)
        self.cuts[cut] += 1
        if cut == "silence":
            await asyncio.sleep(SILENCE_S)
        elif cut == "reset":
            connection: socket.socket = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            writer.transport.abort()

    def _own_address(self, data: bytes) -> bytes:
        """What Kafka says, with this proxy's port in the place of its own."""
        return data.replace(_address(self._kafka_port), _address(self.port))


class _Budget:
    """How many bytes a connection may still carry, both directions together; None for any number."""

    def __init__(self, left: int | None) -> None:
        self.left = left
        self.is_frozen = False

    @property
    def is_spent(self) -> bool:
        return self.left is not None and self.left <= 0

    def take(self, data: bytes) -> bytes:
        if self.left is None:
            return data
        taken = data[: self.left]
        self.left -= len(taken)
        return taken


async def _forward(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    budget: _Budget,
    changed: Callable[[bytes], bytes] = bytes,
) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            if budget.is_frozen:
                await asyncio.Event().wait()
            writer.write(budget.take(changed(data)))
            await writer.drain()
            if budget.is_spent:
                return


def _address(port: int) -> bytes:
    """A broker's host and port as the protocol writes them: a length, the text, four bytes."""
    return struct.pack(f">h{len(_HOST)}si", len(_HOST), _HOST.encode(), port)
