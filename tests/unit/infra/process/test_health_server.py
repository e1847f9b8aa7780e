"""The health server answers on loopback inside the process' own loop, and leaves signals and the port alone."""

from __future__ import annotations

import signal
import socket

import httpx
import pytest

from infra.embedded.servers.ports import choose
from infra.process.health import Readiness, serving
from infra.process.http_server import PortTaken
from infra.settings import Settings


async def fetch(port: int, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        return await client.get(f"http://127.0.0.1:{port}{path}")


async def test_the_pages_are_answered_and_signals_and_afterwards_the_port_are_left_alone() -> None:
    (free,) = choose([None])
    settings = Settings(health_port=free)
    before = signal.getsignal(signal.SIGTERM)
    async with serving(settings, lambda: Readiness(False, {"lag": 7})) as port:
        assert port == free
        ready = await fetch(free, "/readyz")
        assert (ready.status_code, ready.text) == (503, '{"ready":false,"lag":7}')
        assert (await fetch(free, "/other")).status_code == 404
        assert signal.getsignal(signal.SIGTERM) is before
    async with serving(settings, lambda: Readiness(True)):
        assert (await fetch(free, "/readyz")).status_code == 200, "the port was free again"
    async with serving(Settings(health_port=0), lambda: Readiness(True)) as port:
        assert port is None, "nothing listens where no port is named"


async def test_a_taken_port_is_one_sentence_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = Settings(health_port=other.getsockname()[1])
        with pytest.raises(PortTaken, match="name another in YESSER_HEALTH_PORT"):
            async with serving(settings, lambda: Readiness(True)):
                raise AssertionError("it must not serve")
