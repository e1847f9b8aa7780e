"""How bytes become requests: `Upgrade` is ignored, trailers are no headers, and what is no request gets 400."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.every import every
from tests.unit.producers.gateway.http import in_memory
from tests.unit.producers.gateway.http.in_memory import Transport

UPGRADE = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABkAARAAAAAAAIAAAAA")
BODY = b'{"id":"e-1"}'
CHUNKED = b"5\r\n" + BODY[:5] + b"\r\n7\r\n" + BODY[5:] + b"\r\n0\r\n"


class Seen(NamedTuple):
    """A request as the application sees it."""

    method: str
    path: str
    names: frozenset[str]
    body: bytes


async def exchange(*pieces: bytes) -> tuple[list[Seen], Transport]:
    """What the application sees of these pieces of one connection, and what is answered."""
    seen: list[Seen] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        seen.append(Seen(request.method, scope["path"], frozenset(request.headers), body))
        await Response(b"ok")(scope, receive, send)

    return seen, await in_memory.exchange(app, *pieces)


def request(*lines: str, first: str = "POST /v1/events HTTP/1.1", body: bytes = b"") -> bytes:
    return "\r\n".join((first, "host: x", *lines, "", "")).encode() + body


def with_length(*lines: str) -> bytes:
    return request(*lines, f"content-length: {len(BODY)}", body=BODY)


def chunked(*lines: str, trailer: bytes = b"") -> bytes:
    return request(*lines, "transfer-encoding: chunked", body=CHUNKED + trailer + b"\r\n")


def halves(data: bytes) -> list[Sequence[bytes]]:
    """The data whole, in two pieces in every way, and byte by byte."""
    single = [data[at : at + 1] for at in range(len(data))]
    return [(data,), *((data[:at], data[at:]) for at in range(1, len(data))), single]


INNER = request(first="DELETE /v1/events HTTP/1.1")


@every(
    ("sent", "body"),
    [
        (with_length(*UPGRADE), BODY),
        (chunked(*UPGRADE), BODY),
        (request(*UPGRADE, f"content-length: {len(INNER)}", body=INNER), INNER),
    ],
)
async def test_a_body_is_read_though_its_head_asks_for_an_upgrade(sent: bytes, body: bytes) -> None:
    for pieces in halves(sent):
        seen, transport = await exchange(*pieces)
        assert [(one.method, one.path, one.body) for one in seen] == [("POST", "/v1/events", body)], pieces
        assert (transport.statuses, transport.closed) == ([200], False)


async def test_no_upgrade_reaches_the_application_and_all_other_headers_do() -> None:
    ((one,), _) = await exchange(with_length(*UPGRADE, "ce-id: e-1", "x-empty:"))
    assert one.names == {"host", "connection", "http2-settings", "ce-id", "x-empty", "content-length"}


async def test_requests_behind_one_another_are_each_read_once_whichever_of_them_asks_for_an_upgrade() -> None:
    get = request("connection: upgrade", "upgrade: websocket", first="GET /v1/key HTTP/1.1")
    for pieces in ((get + with_length(*UPGRADE) + get + with_length(),), (get, chunked(*UPGRADE), get, with_length())):
        seen, transport = await exchange(*pieces)
        assert [(one.method, one.body) for one in seen] == [("GET", b""), ("POST", BODY)] * 2
        assert transport.statuses == [200] * 4


@every("lines", [(), UPGRADE])
async def test_the_fields_of_a_trailer_are_no_headers(lines: tuple[str, ...]) -> None:
    trailer = b"authorization: Bearer t\r\nce-id: e-2\r\nexpect: 100-continue\r\n"
    for pieces in halves(chunked(*lines, trailer=trailer)):
        ((one,), transport) = await exchange(*pieces)
        assert one.body == BODY
        assert not {"authorization", "ce-id", "expect"} & one.names, pieces
        assert transport.statuses == [200]


@every(
    "sent",
    [
        request(first="CONNECT a:80 HTTP/1.1"),
        request(first="CONNECT a:80 HTTP/1.1", body=BODY),
        request(first="GET http://[::1 HTTP/1.1"),
        request(*UPGRADE, first="GET http://[::1 HTTP/1.1"),
        request("host: y", first="GET /v1/key HTTP/1.1"),
        b"GET /v1/key HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_a_400_without_traceback(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for pieces in halves(sent):
            seen, transport = await exchange(*pieces)
            assert (seen, transport.statuses, transport.closed) == ([], [400], True), pieces
            assert transport.written.endswith(b"}"), "it is a problem document"
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_good_request_without_a_host_is_one_of_http_1_0() -> None:
    seen, transport = await exchange(b"GET /v1/key HTTP/1.0\r\n\r\n")
    assert ([one.path for one in seen], transport.statuses, transport.closed) == (["/v1/key"], [200], True)
