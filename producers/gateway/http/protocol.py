"""uvicorn's HTTP protocol, with what it lacks: a time and a size within which the head of a request must be there,
requests that are read as RFC 9110 and 9112 say, and answers that leave as one piece.

While no request is being served, a connection has a deadline: for its first head, for the rest of a head that has
begun, and for what a client still sends after it was answered. Reading a body has a time of its own (`body.py`).

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
"""The extension (of a request's ASGI scope) that says that its body was there before the application began."""
HEAD_BYTES_MAX: Final = 65_536
"""Checked whenever bytes arrive: a head is never more than this and one reading of the socket."""


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed when its client takes longer than `head_timeout_s` over a request's head."""

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
        if self._in_head:  # the fields of a trailer are no headers (RFC 9110 §6.5.1)
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
        """Read on. Raises `HttpParserError` for what is no HTTP.

        `Upgrade` is ignored (RFC 9110 §7.8). The parser would take what follows the head for another protocol, so such
        a head is read again without the field.
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
        """The head that was read last. Lines that the parser took apart have no second reading."""
        version = self.parser.get_http_version().encode()
        fields = [b"%b: %b\r\n" % (name, value) for name, value in self.headers if name != b"upgrade"]
        return b"%b %b HTTP/%b\r\n%b\r\n" % (self.parser.get_method(), self.url, version, b"".join(fields))

    @property
    def _names_one_host(self) -> bool:
        """Whether the request has the one `Host` that HTTP/1.1 asks for (RFC 9112 §3.2)."""
        hosts = sum(name == b"host" for name, _ in self.headers)
        return hosts == 1 or (hosts == 0 and self.parser.get_http_version() == "1.0")

    @property
    def _is_serving(self) -> bool:
        """Whether a request has its whole head and no whole answer."""
        return self.cycle is not None and not self.cycle.response_complete

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.head_timeout_s, self._give_up)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self._is_serving:  # the head of a second request, sent ahead: the first one is not given up for it
            self._start_deadline()
        elif self._in_head:
            self._end("slow-request")
        else:
            self.transport.close()

    def _end(self, code: RequestCode) -> None:
        """Close, and say why where that cannot be taken for the answer to another request."""
        self._stop_deadline()
        if self.transport.is_closing():
            return
        if self._is_at_fault:
            self.transport.write(_closing_answer(Problem(code)))
        self.transport.close()

    @property
    def _is_at_fault(self) -> bool:
        """Whether the request that came last is the one to be answered next."""
        if self._in_body:
            return not self.cycle.response_started and not self.pipeline
        return not self._is_serving


class _HeadWithBody:
    """A transport that keeps what is written until more is written or the loop turns.

    uvicorn writes the head and the body of an answer one after the other. Sent by itself, the head costs a system call
    of its own and wakes the client for nothing.
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
