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
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
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
        self._numbers = count()
        self._frozen_below = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.cutting = False
        self.cuts: Counter[Cut] = Counter()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[CuttingProxy]:
        """The proxy at work on a port of its own."""

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._tasks.add(task := asyncio.create_task(self._connected(reader, writer)))
            task.add_done_callback(self._tasks.discard)

        server = await asyncio.start_server(begin, _HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def freeze(self) -> None:
        """From here on the connections that there are carry nothing more, and stay open."""
        self._frozen_below = next(self._numbers)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(self._numbers)
        left = self._random.randint(0, BYTES_MAX) if self.cutting else None
        told, tell = map(_address, (self._kafka_port, self.port))

        async def forward(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            nonlocal left
            with suppress(OSError):
                while left != 0 and (data := await source.read(65_536)):
                    if number < self._frozen_below:
                        await asyncio.Event().wait()
                    data = data.replace(told, tell)[:left]
                    left = left and left - len(data)
                    target.write(data)
                    await target.drain()

        both: list[asyncio.Task[None]] = []
        writers = [writer]
        try:
            kafka_reader, kafka_writer = await asyncio.open_connection(_HOST, self._kafka_port)
            writers.append(kafka_writer)
            both = [asyncio.create_task(forward(*way)) for way in ((reader, kafka_writer), (kafka_reader, writer))]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if left == 0:
                await self._cut(writer)
        except OSError:  # Kafka is away
            pass
        finally:
            for direction in both:
                direction.cancel()
            for each in writers:
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


def _address(port: int) -> bytes:
    """A broker's host and port as the protocol writes them: a length, the text, four bytes."""
    return struct.pack(f">h{len(_HOST)}si", len(_HOST), _HOST.encode(), port)
