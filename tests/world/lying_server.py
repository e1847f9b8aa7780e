"""A server of a log over HTTP that may answer otherwise than the log is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from infra.log.layout import TILE, parse_tile_path
from infra.log.signed_note import LogKey
from tests.world.logs import bundle_of
from tests.world.memory_log import MemoryLog
from tests.world.servers import connections

PREFIX = "/log/0/"


@dataclass(frozen=True)
class Request:
    """What the auditor asks for (`path` below `/log/0/`), and the true file; None where there is none."""

    path: str
    token: str
    file: bytes | None


Truth = Callable[[str], Awaitable[bytes | None]]
"""The true file at a path."""
Lie = Callable[[Request], bytes | None]
"""The whole answer instead of the true one; None to tell the truth. An empty one closes the connection."""


class History:
    """A log with a signature, as files; its keys are those that `keys` says."""

    def __init__(self, entries: list[bytes], key: LogKey, keys: str = "") -> None:
        self.log = MemoryLog(entries)
        self.note = key.sign_checkpoint(len(entries), self.log.root)
        self.keys = keys

    def file(self, path: str) -> bytes | None:
        if path in ("checkpoint", "keys"):
            return (self.note if path == "checkpoint" else self.keys).encode() or None
        tile = parse_tile_path(path)
        if tile is None or not tile.is_within(len(self.log.stored)):
            return None
        begin, end = tile.number * TILE, tile.number * TILE + tile.width
        if tile.kind == "entries":
            return bundle_of(self.log.stored[begin:end])
        return b"".join(self.log.levels[tile.level][begin:end])

    async def read(self, path: str) -> bytes | None:
        return self.file(path)

    def told(self, request: Request, paths: str = "") -> bytes | None:
        """The lie that this is the log, about all paths that begin so but its keys."""
        if request.path == "keys" or not request.path.startswith(paths):
            return None
        return answer(self.file(request.path))


def answer(body: bytes | None, status: int = 200, *headers: str, length: int | None = None) -> bytes:
    """An answer in bytes; 404 for None. `length`: what it says of its length."""
    status, body = (404, b"") if body is None else (status, body)
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode() + body


def honest(_: Request) -> None:
    """The true log."""


@dataclass
class LyingServer:
    """Serves `truth`, or answers by `lie`. `lies` are the paths that it lied about; `drip`: a byte at a time."""

    truth: Truth
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
            path = head.split(" ")[1].removeprefix(PREFIX)
            token = head.lower().partition("authorization: ")[2].partition("\r\n")[0]
            file = await self.truth(path)
            said = self.lie(Request(path, token, file))
            self.lies += [path] if said is not None else []
            answered = answer(file) if said is None else said
            step = 1 if self.drip and said is not None else len(answered) or 1
            for at in range(0, len(answered), step):
                writer.write(answered[at : at + step])
                await writer.drain()
                await asyncio.sleep(0.05 if step == 1 else 0)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the auditor has gone


@asynccontextmanager
async def lying_server(truth: Truth) -> AsyncIterator[LyingServer]:
    """Serve while the block runs. What it still says then is cut."""
    server = LyingServer(truth)
    async with connections(server.handle) as port:
        server.address = f"http://127.0.0.1:{port}{PREFIX}"
        yield server
