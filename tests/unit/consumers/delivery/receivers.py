"""Receivers of webhooks on loopback: real servers that keep what they got, and answer as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.world.servers import connections

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass(frozen=True, slots=True)
class Received:
    """A request. Names of headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answer: TypeAlias = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


def answering(data: bytes) -> Answer:
    """Answers with these bytes."""

    async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return answer


def status(code: int, *headers: str, body: bytes = b"") -> Answer:
    """Answers with a status and these lines of headers."""
    lines = [f"HTTP/1.1 {code} X", f"content-length: {len(body)}", *headers, "", ""]
    return answering("\r\n".join(lines).encode() + body)


async def silence(_: Received, writer: asyncio.StreamWriter) -> None:
    """Never answers."""
    await asyncio.Event().wait()


@dataclass(slots=True)
class Receiver:
    """A server on a port of its own. `answer` may be changed at any time."""

    answer: Answer = field(default_factory=lambda: answering(OK))
    got: list[Received] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    host: str = "127.0.0.1"

    def url(self, path: str = "/hook", host: str | None = None) -> str:
        return f"http://{host or self.host}:{self.port}{path}"

    def ids(self) -> set[str]:
        return {received.id for received in self.got}

    async def until(self, number: int, timeout_s: float = 30) -> None:
        """Wait until so many requests have come."""
        async with asyncio.timeout(timeout_s):
            while len(self.got) < number:  # noqa: ASYNC110 - an event for each number is no shorter
                await asyncio.sleep(0.01)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                received = Received(head[0].split(" ")[1], headers, body)
                self.got.append(received)
                await self.answer(received, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it has gone


@asynccontextmanager
async def receiver(answer: Answer | None = None, **options: Any) -> AsyncIterator[Receiver]:
    """A receiver that is listening. `options` are those of `loop.create_server`."""
    found = Receiver() if answer is None else Receiver(answer)
    async with connections(found.serve, **options) as found.port:
        yield found
