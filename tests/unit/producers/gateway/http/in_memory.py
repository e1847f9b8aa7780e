"""A connection of the gateway in memory: pieces go in, and what is answered is kept."""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from infra.settings import Settings
from producers.gateway.http.protocol import BoundedProtocol, ConnectionLimits

TURNS = 8
SETTINGS = Settings()


class Transport(asyncio.Transport):
    """Takes what is written, by the call. While `is_unread`, the client reads nothing of it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.unread = 0
        self.closed = self.aborted = self.paused = False
        self.is_unread = False

    def write(self, data: object) -> None:
        self.sent.append(bytes(cast(bytes, data)))
        self.unread += len(cast(bytes, data)) if self.is_unread else 0

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert (high, low) == (1, 0), "the protocol hears of what stays unread"

    def get_write_buffer_size(self) -> int:
        return self.unread

    @property
    def written(self) -> bytes:
        return b"".join(self.sent)

    @property
    def statuses(self) -> list[int]:
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", self.written)]


@lru_cache(maxsize=4)
def config_of(app: ASGIApp) -> uvicorn.Config:
    """As in a server, all connections have one."""
    return uvicorn.Config(app, ws="none", lifespan="off", log_config=None)


def connect(app: ASGIApp, limits: ConnectionLimits | None = None) -> tuple[BoundedProtocol, Transport]:
    """A connection that was just made."""
    limits = limits or ConnectionLimits.of(SETTINGS)
    protocol = BoundedProtocol(limits, config=config_of(app), server_state=ServerState(), app_state={})
    transport = Transport()
    protocol.connection_made(transport)
    return protocol, transport


async def exchange(app: ASGIApp, *pieces: bytes, limits: ConnectionLimits | None = None) -> Transport:
    """What is answered to these pieces of one connection."""
    protocol, transport = connect(app, limits)
    for piece in pieces:
        if not transport.closed:
            protocol.data_received(piece)
            await turns()
    closed = transport.closed
    protocol.connection_lost(None)
    transport.closed = closed
    return transport


async def turns(number: int = TURNS) -> None:
    for _ in range(number):
        await asyncio.sleep(0)
