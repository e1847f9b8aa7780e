"""uvicorn's HTTP protocol with what it lacks: time and size limits for a request's head, the request rules of RFC 9110
and 9112, and answers sent in one piece.

While no request is being served, a connection has a deadline: for its first head, for the rest of a partial head, and
for what a client still sends after its answer. Reading a body has its own time limit (`body.py`).

Other servers were tried (docs/decisions/the-http-server.md).
"""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle
from http import HTTPStatus
from typing import Any, Final, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from infra.http.problems import CONTENT_TYPE, Problem, RequestCode, problem_document, to_bytes

WHOLE: Final = "yesser.whole"
"""The ASGI scope extension set when the whole body arrived before the application began."""
HEAD_BYTES_MAX: Final = 65_536
"""Checked on every read: a head never exceeds this plus one read of the socket."""


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose client takes longer than `head_timeout_s` to send a request's head."""

    head_timeout_s = 10.0

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._deadline: TimerHandle | None = None
        self._in_head = self._in_body = self._has_upgrade = False
        self._bytes_beside_bodies = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, _HeadWithBody(transport, self.loop)))
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        self._bytes_beside_bodies += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._end("malformed-request")
            return
        if self._bytes_beside_bodies > HEAD_BYTES_MAX:
            self._end("head-too-large")
        elif self._deadline is None and (self._in_head or not self._is_serving):
            self._start_deadline()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # trailer fields are not headers (RFC 9110 §6.5.1)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.get_method() == b"CONNECT" or not self._names_one_host:
            raise httptools.HttpParserError
        self._has_upgrade = self.parser.should_upgrade()
        if self._has_upgrade:
            return
        super().on_headers_complete()
        self._in_head, self._in_body = False, True
        self._bytes_beside_bodies = 0
        self._stop_deadline()

    def on_body(self, body: bytes) -> None:
        self._bytes_beside_bodies = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._has_upgrade:
            return
        self._in_body = False
        self._bytes_beside_bodies = 0
        self.scope.setdefault("extensions", {})[WHOLE] = {}
        super().on_message_complete()

    def _parse(self, data: bytes) -> None:
        """Parse more bytes. Raises `HttpParserError` for what is not HTTP.

        `Upgrade` is ignored (RFC 9110 §7.8). The parser would treat what follows such a head as another protocol, so
        the head is parsed again without the field.
        """
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                head = self._head_without_upgrade()
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
                self.parser.feed_data(head)
                data = data[upgrade.args[0] :]
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        """The last head, rebuilt from the parsed fields, so that it cannot be parsed differently."""
        version = self.parser.get_http_version().encode()
        fields = [b"%b: %b\r\n" % (name, value) for name, value in self.headers if name != b"upgrade"]
        return b"%b %b HTTP/%b\r\n%b\r\n" % (self.parser.get_method(), self.url, version, b"".join(fields))

    @property
    def _names_one_host(self) -> bool:
        """Whether the request has exactly one `Host`, as HTTP/1.1 requires (RFC 9112 §3.2)."""
        hosts = sum(name == b"host" for name, _ in self.headers)
        return hosts == 1 or (hosts == 0 and self.parser.get_http_version() == "1.0")

    @property
    def _is_serving(self) -> bool:
        """Whether a request's head is complete and its answer is not."""
        return self.cycle is not None and not self.cycle.response_complete

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.head_timeout_s, self._give_up)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self._is_serving:  # a pipelined second head must not end the first request
            self._start_deadline()
        elif self._in_head:
            self._end("slow-request")
        else:
            self.transport.close()

    def _end(self, code: RequestCode) -> None:
        """Close the connection, with a problem unless it could be mistaken for another request's answer."""
        self._stop_deadline()
        if self.transport.is_closing():
            return
        if self._is_at_fault:
            self.transport.write(_closing_answer(Problem(code)))
        self.transport.close()

    @property
    def _is_at_fault(self) -> bool:
        """Whether the latest request is the next to be answered."""
        if self._in_body:
            return not self.cycle.response_started and not self.pipeline
        return not self._is_serving


class _HeadWithBody:
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


def _closing_answer(problem: Problem) -> bytes:
    body = to_bytes(problem_document(problem, "en"))
    head = (
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\ncontent-type: {CONTENT_TYPE}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
