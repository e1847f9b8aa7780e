"""A server of connections for the length of a block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_STEPS_TO_A_CONNECTION = 4
"""Turns of the loop from taking a connection to its protocol."""


@asynccontextmanager
async def connections(serve: Serve, host: str = "127.0.0.1", **options: Any) -> AsyncIterator[int]:
    """The port on which `serve` gets each connection. At the end none stays open, also one that came at that moment."""
    loop, transports, tasks = asyncio.get_running_loop(), set[asyncio.Transport](), set[asyncio.Task[None]]()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        finally:
            tasks.discard(task)
            writer.close()

    class Tracked(asyncio.StreamReaderProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transports.add(transport)
            super().connection_made(transport)

    server = await loop.create_server(lambda: Tracked(asyncio.StreamReader(), served), host, 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for _ in range(_STEPS_TO_A_CONNECTION):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for transport in transports:
            transport.abort()
        await asyncio.sleep(0)
