"""uvicorn's HTTP protocol with what it lacks beside limits for heads: limits for connections, pipelined requests and
unread answers, the request rules of RFC 9110 and 9112, and answers sent in one piece. Reading stops while requests
wait behind one another, and open connections are counted by peer.

While no request is being served, a connection has a deadline: for its first head, for the rest of a partial head, and
for what a client still sends after its answer. Reading a body has its own time limit (`body.py`). While an answer
waits to be read, another deadline runs.

Other servers were tried (docs/decisions/the-http-server.md).
"""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import Any, Final, cast

import httptools
from uvicorn.protocols.http.flow_control import FlowControl

from events.values.bilingual import Bilingual, Language
from infra.http.problems import (
    CONTENT_TYPE,
    Problem,
    RequestCode,
    asked_address,
    language_of,
    problem_document,
    to_bytes,
)
from infra.http.rate_limits import peer_of
from infra.observability.telemetry import count, gauge
from infra.process.http_server import HEAD_BYTES_MAX, HeadLimits
from infra.settings import Settings

WHOLE: Final = "yesser.whole"
"""The ASGI scope extension set when the whole body arrived before the application began."""
CERTIFICATE: Final = "yesser.certificate"
"""The ASGI scope extension with the `name` of the client's certificate, if it showed one that is trusted."""
TARGET_BYTES_MAX: Final = 8_192
HEADERS_MAX: Final = 256
PIPELINED_MAX: Final = 32
"""Requests that may wait behind the one that is served."""
READ_BYTES_MIN: Final = 256 * 1024
"""A client reads at least this much of its answer, or all of it, within the write timeout."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The timeouts of a connection, and the connections of all peers."""

    connections: Connections
    head_timeout_s: float
    write_timeout_s: float
    public_address: str | None

    @classmethod
    def of(cls, settings: Settings) -> ConnectionLimits:
        timeouts = settings.gateway_head_timeout_s, settings.gateway_write_timeout_s
        return cls(Connections(settings), *timeouts, settings.public_address)


class BoundedProtocol(HeadLimits):
    """One connection within `limits`."""

    def __init__(self, limits: ConnectionLimits, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._limits = limits
        self.head_timeout_s = limits.head_timeout_s
        self._host = ""
        self._certificate_name: str | None = None
        self._write_deadline: TimerHandle | None = None
        self._in_head = self._in_body = self._has_upgrade = False
        self._fault: RequestCode = "malformed-request"
        self._ends_with: RequestCode | None = None
        """The problem that ends the connection once the requests before it have their answers."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, HeadWithBody(transport, self.loop)))
        self.flow = PausableFlow(self.transport, lambda: not self.pipeline and self._ends_with is None)
        # `pause_writing` is called as soon as anything stays unread. With 0, TLS would pause with nothing to send.
        transport.set_write_buffer_limits(high=1, low=0)
        self._host = self.client[0] if self.client else ""
        certificate = transport.get_extra_info("peercert") or {}
        self._certificate_name = _common_name(certificate.get("subject", ()))
        refused = self._limits.connections.open(self._host)
        if refused is not None:
            self._end(refused)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_write_deadline()
        self._limits.connections.close(self._host)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._ends_with is not None:
            return
        self._unset_keepalive_if_required()
        self.bytes_beside_bodies += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._end(self._fault)
            return
        if self.bytes_beside_bodies > HEAD_BYTES_MAX:
            self._end("head-too-large")
        elif self.deadline is None and (self._in_head or not self.is_serving):
            self.start_deadline()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > TARGET_BYTES_MAX:
            self._fail("target-too-long")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # trailer fields are not headers (RFC 9110 §6.5.1)
            super().on_header(name, value)
            if len(self.headers) > HEADERS_MAX:
                self._fail("head-too-large")

    def on_headers_complete(self) -> None:
        if self.parser.get_method() == b"CONNECT" or not self._names_one_host:
            self._fail("malformed-request")
        if len(self.pipeline) == PIPELINED_MAX:
            self._fail("too-many-requests")
        self._has_upgrade = self.parser.should_upgrade()
        if self._has_upgrade:
            return
        if self._certificate_name is not None:
            self.scope.setdefault("extensions", {})[CERTIFICATE] = {"name": self._certificate_name}
        super().on_headers_complete()
        self._in_head, self._in_body = False, True

    def on_message_complete(self) -> None:
        if self._has_upgrade:
            return
        self._in_body = False
        self.bytes_beside_bodies = 0
        self.scope.setdefault("extensions", {})[WHOLE] = {}
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._ends_with is not None and not self.is_serving:
            self._end(self._ends_with)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_deadline is None:
            self._start_write_deadline()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_write_deadline()

    def _fail(self, code: RequestCode) -> None:
        """The request that is being parsed cannot be served: ends parsing."""
        self._fault = code
        raise httptools.HttpParserError

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

    def _give_up(self) -> None:
        self.deadline = None
        if self.is_serving:  # a pipelined second head must not end the first request
            self.start_deadline()
        elif self._in_head:
            self._end("slow-request")
        else:
            self.transport.close()

    def _start_write_deadline(self) -> None:
        unread = self.transport.get_write_buffer_size()
        self._write_deadline = self.loop.call_later(self._limits.write_timeout_s, self._require_reading, unread)

    def _stop_write_deadline(self) -> None:
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None

    def _require_reading(self, unread: int) -> None:
        """Abort the connection unless its client reads. Closing it would wait for the client."""
        if unread - self.transport.get_write_buffer_size() < READ_BYTES_MIN:
            self.transport.abort()
        else:
            self._start_write_deadline()

    def _end(self, code: RequestCode) -> None:
        """Close the connection, with a problem unless it could be mistaken for another request's answer.

        Requests that are complete get their answers first.
        """
        self.stop_deadline()
        if self.transport.is_closing():
            return
        if self.is_serving and not self._in_body:
            self._ends_with = code
            self.flow.pause_reading()
            return
        if self._is_at_fault:
            count("gateway_problems", code=code)
            # The host that CONNECT names is where its tunnel would end.
            named = () if self.parser.get_method() == b"CONNECT" else self.headers or ()
            address = asked_address(self._limits.public_address, self.scheme or "http", named, self.server)
            problem = Problem(code, retry_after_s=_RETRY_AFTER_S.get(code), detail=_DETAILS.get(code))
            self.transport.write(_closing_answer(problem, self._language, address))
        self.transport.close()

    @property
    def _is_at_fault(self) -> bool:
        """Whether the latest request is the next to be answered."""
        if self._in_body:
            return not self.cycle.response_started and not self.pipeline
        return not self.is_serving

    @property
    def _language(self) -> Language:
        given = (value for name, value in self.headers or () if name == b"accept-language")
        return language_of(next(given, b"").decode("latin-1"))


def _common_name(subject: Iterable[Iterable[tuple[str, str]]]) -> str | None:
    """The common name in the subject of a verified certificate (as `SSLObject.getpeercert` returns it)."""
    names = [value for part in subject for name, value in part if name == "commonName"]
    return names[0] if len(names) == 1 else None


_RETRY_AFTER_S: Final[dict[RequestCode, int]] = {"too-many-connections": 1, "overloaded": 1, "too-many-requests": 1}


_DETAILS: Final[dict[RequestCode, Bilingual]] = {
    "malformed-request": Bilingual(
        "تعذرت قراءة ترويسات الطلب: أرسل Host واحدة، وطولًا واحدًا للمتن. والطريقة CONNECT غير متاحة.",
        "The head of the request cannot be read: send one Host, and one length of the body. CONNECT is not served.",
    )
}
"""Narrower than the code's: of a head, not of a body."""


def _closing_answer(problem: Problem, language: Language, address: str) -> bytes:
    body = to_bytes(problem_document(problem, language, address))
    more = "".join(f"{name.lower()}: {value}\r\n" for name, value in problem.headers.items())
    head = (
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\ncontent-type: {CONTENT_TYPE}\r\n"
        f"content-language: {language}\r\n{more}content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


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


CONNECTIONS_MAX: Final = 2_000


class Connections:
    """Counts open connections. A trusted proxy is limited only by the number of all connections."""

    def __init__(self, settings: Settings, connections_max: int = CONNECTIONS_MAX) -> None:
        self._max = connections_max
        self._per_peer_max = settings.gateway_connections_per_peer_max
        proxies = map(str.strip, settings.gateway_trusted_proxies.split(","))
        self._proxies = [ip_network(name) for name in proxies if name]
        self._of_peer: Counter[str] = Counter()
        self._all = 0

    def open(self, host: str) -> RequestCode | None:
        """Count a connection; the problem with which to refuse it, or None. Call `close` in both cases."""
        peer = peer_of(host)
        self._of_peer[peer] += 1
        self._all += 1
        gauge("gateway_connections", self._all)
        if self._all > self._max:
            return "overloaded"
        if self._of_peer[peer] > self._per_peer_max and not self._is_proxy(host):
            return "too-many-connections"
        return None

    def close(self, host: str) -> None:
        peer = peer_of(host)
        self._of_peer[peer] -= 1
        if not self._of_peer[peer]:
            del self._of_peer[peer]
        self._all -= 1
        gauge("gateway_connections", self._all)

    def _is_proxy(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)
