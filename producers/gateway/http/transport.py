"""Answers that leave in one piece, and reading that stops while requests wait behind one another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl


class HeadWithBody:
    """A transport that buffers a write until the next one or the next iteration of the event loop.

    uvicorn writes an answer's head and body separately. Sent alone, the head costs an extra system call and wakes the
    client too early.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._kept = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._kept:
            self._kept += data
            self._send()
        else:
            self._kept = data
            self._loop.call_soon(self._send)

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        kept, self._kept = self._kept, b""
        if kept and not self._transport.is_closing():
            self._transport.write(kept)


class PausableFlow(FlowControl):
    """uvicorn's flow control, which resumes reading only while `may_read` is true.

    uvicorn resumes it whenever a request's body is read, also while other requests wait behind that one: then what a
    client sends ahead would fill the memory.
    """

    def __init__(self, transport: asyncio.Transport, may_read: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._may_read = may_read

    def resume_reading(self) -> None:
        if self._may_read():
            super().resume_reading()
