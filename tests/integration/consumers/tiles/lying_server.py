"""A proxy between an auditor's commands and the gateway, which may answer otherwise than the gateway does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.world.servers import connections

PREFIX = "/log/0/"


@dataclass(frozen=True)
class Request:
    """What the auditor asks for (`path` below `/log/0/`), and what the gateway answers."""

    path: str
    token: str
    status: int
    body: bytes


Lie = Callable[[Request], bytes | None]
"""The whole answer instead of the gateway's; None to pass that on. An empty one closes the connection."""


def answer(body: bytes, status: int = 200, *headers: str, length: int | None = None) -> bytes:
    """An answer in bytes. `length`: what it says of its length."""
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode() + body


def honest(_: Request) -> None:
    """The gateway's own answers."""


@dataclass
class LyingServer:
    """Forwards to `gateway`, or answers by `lie`. `lies` are the paths that it lied about; `drip`: a byte at a time."""

    gateway: httpx.AsyncClient
    address: str = ""
    lie: Lie = honest
    drip: bool = False
    lies: list[str] = field(default_factory=list)

    def tells(self, lie: Lie, *, drip: bool = False) -> None:
        """Lie from now on."""
        self.lie, self.drip, self.lies = lie, drip, []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            await self._answer(head, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the auditor has gone

    async def _answer(self, head: str, writer: asyncio.StreamWriter) -> None:
        path = head.split(" ")[1].removeprefix(PREFIX)
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        token = {name.lower(): value for name, value in fields.items()}.get("authorization", "")
        given = {"authorization": token} if token else {}
        found = await self.gateway.get(f"{PREFIX}{path}", headers=given)
        said = self.lie(Request(path, token, found.status_code, found.content))
        if said is None:
            writer.write(answer(found.content, found.status_code))
        else:
            self.lies.append(path)
            await self._tell(said, writer)
        await writer.drain()

    async def _tell(self, said: bytes, writer: asyncio.StreamWriter) -> None:
        if not self.drip:
            writer.write(said)
            return
        for at in range(len(said)):
            writer.write(said[at : at + 1])
            await writer.drain()
            await asyncio.sleep(0.05)


@asynccontextmanager
async def lying_server(gateway: httpx.AsyncClient) -> AsyncIterator[LyingServer]:
    """Serve while the block runs. What it still says then is cut."""
    server = LyingServer(gateway)
    async with connections(server.handle) as port:
        server.address = f"http://127.0.0.1:{port}{PREFIX}"
        yield server
