"""What a request is answered that the gateway cancels when it stops."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from producers.gateway.app import served
from tests.unit.producers.gateway.http.in_memory import connect, turns
from tests.world.gateways import parts


class Endless:
    """Authentication that never ends."""

    async def caller(self, request: object) -> None:
        await asyncio.Event().wait()


async def test_a_cancelled_request_is_answered_with_a_problem(caplog: pytest.LogCaptureFixture) -> None:
    app = served(parts(access=Endless()))
    for request_line, status, problem in (
        ("POST /v1/events", 504, "outcome-unknown"),
        ("GET /v1/plan", 503, "overloaded"),
    ):
        protocol, transport = connect(app)
        protocol.data_received(f"{request_line} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".encode())
        await turns()
        for task in list(protocol.tasks):
            task.cancel()
        await turns()
        assert transport.statuses == [status]
        assert orjson.loads(transport.written.rpartition(b"\r\n\r\n")[2])["type"] == f"http://x/problems/{problem}"
        assert caplog.records == []
        protocol.connection_lost(None)
