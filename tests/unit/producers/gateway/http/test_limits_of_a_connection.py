"""What one connection may send ahead, leave unread and name; each limit ends it with a problem, in its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from infra.settings import Settings
from producers.gateway.http.protocol import (
    HEADERS_MAX,
    PIPELINED_MAX,
    READ_BYTES_MIN,
    TARGET_BYTES_MAX,
    BoundedProtocol,
    ConnectionLimits,
)
from tests.every import every
from tests.unit.producers.gateway.http.in_memory import Transport, connect, turns

GET = b"GET /v1/key HTTP/1.1\r\nhost: x\r\n\r\n"


@dataclass(eq=False)
class Application:
    """Answers when the test lets it."""

    let: asyncio.Event = field(default_factory=asyncio.Event)
    served: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        await self.let.wait()
        self.served += 1
        await Response(b"ok")(scope, receive, send)


class Deadlines:
    """The event loop of a connection, whose deadlines the test ends."""

    def __init__(self, protocol: BoundedProtocol) -> None:
        self._loop, self._calls = protocol.loop, dict[object, Callable[[], object]]()
        protocol.loop = cast(asyncio.AbstractEventLoop, self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def call_later(self, delay_s: float, call: Callable[..., object], *arguments: object) -> object:
        timer = SimpleNamespace(cancel=lambda: self._calls.pop(delay_s, None))
        self._calls[delay_s] = partial(call, *arguments)
        return timer

    def end(self) -> None:
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call()


def last_problem(transport: Transport) -> str:
    return str(orjson.loads(transport.written.rpartition(b"\r\n\r\n")[2])["type"]).rpartition("/")[2]


def open_connection(app: Application, **settings: object) -> tuple[BoundedProtocol, Transport]:
    given = Settings().model_copy(update=settings)
    return connect(app, ConnectionLimits.of(given))


async def test_requests_beyond_the_limit_end_the_connection_after_the_answers_before() -> None:
    app = Application()
    protocol, transport = open_connection(app)
    protocol.data_received(GET * 10_000)
    await turns()
    assert (transport.statuses, transport.closed, len(protocol.pipeline)) == ([], False, PIPELINED_MAX)
    assert transport.paused, "no more is read"
    protocol.data_received(GET * 10)
    assert len(protocol.pipeline) == PIPELINED_MAX
    app.let.set()
    await turns(40 * PIPELINED_MAX)
    assert transport.statuses == [200] * (1 + PIPELINED_MAX) + [429]
    assert (last_problem(transport), transport.closed) == ("too-many-requests", True)


async def test_up_to_the_limit_all_is_answered_and_a_bad_request_ends_the_connection_in_its_turn() -> None:
    app = Application()
    protocol, transport = open_connection(app)
    protocol.data_received(GET * (1 + PIPELINED_MAX))
    await turns()
    app.let.set()
    await turns(40 * PIPELINED_MAX)
    assert transport.statuses == [200] * (1 + PIPELINED_MAX)
    assert (transport.closed, transport.paused) == (False, False)
    app.let.clear()
    protocol.data_received(GET + b"no http\r\n\r\n")
    await turns()
    app.let.set()
    await turns(20)
    assert (transport.statuses, transport.closed) == ([200] * (2 + PIPELINED_MAX) + [400], True)


async def test_nothing_is_read_while_a_request_waits_whatever_the_served_one_reads() -> None:
    app = Application()
    protocol, transport = open_connection(app)
    post = b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"
    protocol.data_received(GET + post + b"1")
    await turns()
    protocol.flow.resume_reading()
    assert transport.paused
    app.let.set()
    await turns()
    assert not transport.paused, "the body of the second is read in its turn"
    protocol.data_received(b"23456789")
    await turns()
    assert transport.statuses == [200, 200]


async def test_an_answer_that_is_not_read_ends_its_connection() -> None:
    app = Application()
    app.let.set()
    protocol, transport = open_connection(app)
    deadlines = Deadlines(protocol)
    transport.is_unread = True
    protocol.data_received(GET)
    await turns()
    protocol.pause_writing()
    deadlines.end()
    assert transport.aborted


async def test_a_client_that_reads_slowly_is_served_as_long_as_it_reads() -> None:
    protocol, transport = open_connection(Application())
    deadlines = Deadlines(protocol)
    transport.unread = 10 * READ_BYTES_MIN
    protocol.pause_writing()
    for _ in range(9):
        transport.unread -= READ_BYTES_MIN
        deadlines.end()
        assert not transport.aborted
    protocol.resume_writing()
    deadlines.end()
    assert not transport.aborted
    protocol.pause_writing()
    transport.unread -= READ_BYTES_MIN - 1
    deadlines.end()
    assert transport.aborted
    protocol.connection_lost(None)


async def test_the_connection_after_a_peers_last_one_is_refused_and_costs_the_others_nothing() -> None:
    app = Application()
    app.let.set()
    limits = ConnectionLimits.of(Settings(gateway_connections_per_peer_max=1))
    first, served = connect(app, limits)
    second, refused = connect(app, limits)
    assert (refused.statuses, last_problem(refused), refused.closed) == ([429], "too-many-connections", True)
    first.data_received(GET)
    await turns()
    assert served.statuses == [200]
    for one in (first, second):
        one.connection_lost(None)
    _, again = connect(app, limits)
    assert (again.statuses, again.closed) == ([], False)


@every(
    ("sent", "status", "problem"),
    [
        (b"GET /" + b"a" * TARGET_BYTES_MAX + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414, "target-too-long"),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * HEADERS_MAX + b"\r\n", 431, "head-too-large"),
        (b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * 70_000, 431, "head-too-large"),
        (b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n", 400, "malformed-request"),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400, "malformed-request"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed-request"),
        (b"CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n", 400, "malformed-request"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc", 400, "malformed-request"),
    ],
)
async def test_a_head_that_is_not_served_is_answered_with_a_problem(sent: bytes, status: int, problem: str) -> None:
    app = Application()
    protocol, transport = open_connection(app)
    for at in range(0, len(sent), 5_000):
        if not transport.closed:
            protocol.data_received(sent[at : at + 5_000])
            await turns()
    assert (transport.statuses, last_problem(transport), transport.closed) == ([status], problem, True)
    assert b"JSON" not in transport.written, "that is about bodies"
    assert b"content-type: application/problem+json" in transport.written
    assert app.served == 0


async def test_the_answer_to_a_bad_head_has_the_language_that_it_asks_for() -> None:
    protocol, transport = open_connection(Application())
    protocol.data_received(b"GET / HTTP/1.1\r\naccept-language: ar\r\n\r\n")
    assert b"content-language: ar" in transport.written
    assert "الطلب" in transport.written.decode()
    protocol.connection_lost(None)


async def test_a_tunnels_host_is_not_given_as_the_gateways_address() -> None:
    protocol, transport = open_connection(Application())
    protocol.data_received(b"CONNECT elsewhere.example:80 HTTP/1.1\r\nhost: elsewhere.example\r\n\r\n")
    assert b"elsewhere.example" not in transport.written
    protocol.connection_lost(None)
