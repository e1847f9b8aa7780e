"""What a request is answered that the gateway cancels when it stops."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import orjson
import pytest

from infra.settings import Settings
from producers.gateway.app import served
from producers.gateway.routes.parts import Parts
from tests.unit.producers.gateway.http.in_memory import connect, turns

NOTHING = cast(Any, None)


class Endless:
    """Authentication that never ends."""

    async def authenticate(self, headers: object, host: str) -> None:
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("request_line", "status", "problem"),
    [("POST /v1/events", 504, "outcome-unknown"), ("GET /v1/plan", 503, "overloaded")],
)
async def test_a_cancelled_request_is_answered_with_a_problem(
    caplog: pytest.LogCaptureFixture, request_line: str, status: int, problem: str
) -> None:
    protocol, transport = connect(served(Parts(Settings(), cast(Any, Endless()), NOTHING, NOTHING, NOTHING)))
    protocol.data_received(f"{request_line} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".encode())
    await turns()
    for task in list(protocol.tasks):
        task.cancel()
    await turns()
    assert transport.statuses == [status]
    assert orjson.loads(transport.written.rpartition(b"\r\n\r\n")[2])["type"] == f"/problems/{problem}"
    assert caplog.records == []
    protocol.connection_lost(None)
