"""uvicorn's HTTP protocol with limits for the head of a request: its time and its bytes.

Without them a client that sends half a head, or nothing after an answer, keeps its connection, and one that sends a
head without an end fills the memory. The gateway's protocol is one of these, which limits more.
"""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_TIMEOUT_S: Final = 10.0
"""Longest wait for the head of a request, also for the next one that has begun; then the connection is closed."""
HEAD_BYTES_MAX: Final = 65_536


class HeadLimits(HttpToolsProtocol):
    """One connection. While no request is being served, it has a deadline."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.head_timeout_s = HEAD_TIMEOUT_S
        self.deadline: TimerHandle | None = None
        self.bytes_beside_bodies = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.bytes_beside_bodies += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.bytes_beside_bodies > HEAD_BYTES_MAX:
            self._close(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self.deadline is None and not self.is_serving:
            self.start_deadline()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.bytes_beside_bodies = 0
        self.stop_deadline()

    def on_body(self, body: bytes) -> None:
        self.bytes_beside_bodies = 0
        super().on_body(body)

    @property
    def is_serving(self) -> bool:
        """Whether a request's head is complete and its answer is not."""
        return self.cycle is not None and not self.cycle.response_complete

    def start_deadline(self) -> None:
        self.deadline = self.loop.call_later(self.head_timeout_s, self._give_up)

    def _give_up(self) -> None:
        self._close(HTTPStatus.REQUEST_TIMEOUT)

    def stop_deadline(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    def _close(self, status: HTTPStatus) -> None:
        """Close the connection. It gets an answer unless that could be mistaken for the answer to another request."""
        self.stop_deadline()
        if self.bytes_beside_bodies and not self.is_serving:
            head = f"HTTP/1.1 {status} {status.phrase}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            self.transport.write(head.encode())
        self.transport.close()
