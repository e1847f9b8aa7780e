"""A request without a token, or what is no request, gets a problem, never a 5xx, and leaves no trace in the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp
from structlog.testing import capture_logs

from infra.settings import Settings
from producers.agencies.tokens import random_token
from producers.gateway.access.callers import Access
from producers.gateway.app import served
from producers.gateway.http.protocol import ConnectionLimits
from tests.every import every
from tests.unit.producers.gateway.http.in_memory import Transport, exchange
from tests.world.gateways import parts

PUBLIC = (
    "/",
    "/docs",
    "/docs/api",
    "/openapi.json",
    "/schemas/index.json",
    "/problems/not-found",
    "/v1/key",
    "/v1/keys",
)
PRIVATE = ("/v1/events", "/v1/events:validate", "/v1/events/e-1", "/v1/receipts?wait_s=30", "/v1/plan", "/v1/nothing")
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD", "TRACE", "PROPFIND")


class NoTokens:
    """A database without any token."""

    async def fetchrow(self, query: str, key_id: str) -> None:
        return None


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> ASGIApp:
    return gateway(tmp_path_factory.mktemp("home"))


def gateway(home: Path, **changes: Any) -> ASGIApp:
    unlimited = {"gateway_failures_per_s": 1e6, "gateway_public_requests_per_s": 1e6}
    given = Settings(home=home, **{**unlimited, **changes})
    return served(parts(given, Access(given, cast(Any, NoTokens()))))


@contextmanager
def no_trace(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is logged as an error meanwhile."""
    caplog.clear()
    with caplog.at_level(logging.DEBUG), capture_logs() as logged:
        yield
    assert [row for row in logged if row["log_level"] in ("error", "critical")] == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info] == []


def require_problems(transport: Transport) -> None:
    """Each answer is below 500, and each one from 400 is a problem document."""
    assert all(status < 500 for status in transport.statuses), transport.written
    for answer in transport.written.split(b"HTTP/1.1 ")[1:]:
        head, _, body = answer.partition(b"\r\n\r\n")
        if int(head[:3]) >= 400 and body:
            assert b"content-type: application/problem+json" in head, answer
            document = orjson.loads(body)
            assert (document["status"], "/problems/" in document["type"]) == (int(head[:3]), True)


def request(method: str, target: str, *lines: str) -> bytes:
    return "\r\n".join((f"{method} {target} HTTP/1.1", "host: x", *lines, "", "")).encode()


@every("target", PRIVATE)
@every("method", METHODS)
async def test_every_private_address_wants_a_token_first(
    app: ASGIApp, caplog: pytest.LogCaptureFixture, method: str, target: str
) -> None:
    guess = f"authorization: Bearer {random_token()[1]}"
    malformed = [f"authorization: Bearer {token}" for token in ("a.b.c", "é", f"{guess[22:-1]}é", "é.é.é", "تذكرة")]
    for lines in ((), ("authorization: Basic eDp5",), (guess,), (guess, guess), *((line,) for line in malformed)):
        with no_trace(caplog):
            transport = await exchange(app, request(method, target, *lines))
        assert transport.statuses == [401], lines
        require_problems(transport)


@every("target", [*PUBLIC, "/v1/plan", "/nothing"])
async def test_head_answers_as_get_does_without_the_body(app: ASGIApp, target: str) -> None:
    got, head = [await exchange(app, request(method, target)) for method in ("GET", "HEAD")]
    assert got.statuses == head.statuses
    assert head.written.endswith(b"\r\n\r\n")


@every("method", METHODS)
async def test_a_public_address_has_no_fault(app: ASGIApp, caplog: pytest.LogCaptureFixture, method: str) -> None:
    for target in (*PUBLIC, "/nothing", "/docs/nothing", "/%00", "/docs/%ff", "/docs/../v1/events", "//", "*"):
        for query in ("", "?x=1", "?%ff=%00", "?&&&==="):
            with no_trace(caplog):
                transport = await exchange(app, request(method, target + query, "content-length: 0"))
            require_problems(transport)


async def test_public_addresses_and_failures_have_a_rate_for_each_peer(tmp_path: Path) -> None:
    limited = gateway(tmp_path, gateway_public_requests_per_s=0.1, gateway_failures_per_s=0.2)
    transport = await exchange(limited, *[request("GET", "/nothing")] * 3)
    assert 429 in transport.statuses
    require_problems(transport)
    not_ascii = request("GET", "/v1/receipts", "authorization: Bearer é")
    assert (await exchange(limited, *[not_ascii] * 3)).statuses == [401, 429, 429]


async def test_a_problem_leads_to_the_public_address_whatever_host_the_request_names(tmp_path: Path) -> None:
    public = "https://gateway.example/"
    app, limits = gateway(tmp_path, public_address=public), ConnectionLimits.of(Settings(public_address=public))
    for raw in (request("GET", "/v1/receipts"), request("GET", "/nowhere"), request("CONNECT", "/")):
        answer = await exchange(app, raw, limits=limits)
        assert b'"type":"https://gateway.example/problems/' in answer.written


LINES = st.lists(
    st.sampled_from(
        [
            *("host: y", "content-length: 5", "content-length: -1", "expect: 100-continue", "if-none-match: *"),
            *("transfer-encoding: chunked", "transfer-encoding: gzip, chunked", "content-encoding: gzip"),
            *("connection: close", "connection: upgrade", "upgrade: h2c", "accept-language: ar;q=nan, en;q=1e999"),
            *("authorization: Bearer", "authorization: Bearer eyJhbGciOiJub25lIn0.e30.", "authorization: \xff"),
            *("authorization: Bearer \xe9", "content-type: application/cloudevents+json", "ce-id: %ff"),
            *("x-forwarded-for: x", ": empty", "no colon", "a\0b: c"),
        ]
    ),
    max_size=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(
    method=st.sampled_from([*METHODS, "CONNECT", "PRI", "", "get", "\0"]),
    target=st.sampled_from([*PUBLIC, *PRIVATE, "", "http://[::1", "http://x/docs", "/\xff"]) | st.text(max_size=20),
    lines=LINES,
    more=st.binary(max_size=40),
    cut=st.integers(1, 400),
)
async def test_no_bytes_without_a_token_cause_a_fault(
    app: ASGIApp, caplog: pytest.LogCaptureFixture, method: str, target: str, lines: list[str], more: bytes, cut: int
) -> None:
    raw = "\r\n".join((f"{method} {target} HTTP/1.1", "host: x", *lines, "", "")).encode("utf-8", "replace") + more
    with no_trace(caplog):
        transport = await exchange(app, raw[:cut], raw[cut:])
    require_problems(transport)
