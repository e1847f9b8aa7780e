"""The health server answers on loopback inside the process' own loop, and leaves signals and the port alone."""

from __future__ import annotations

import asyncio
import signal
import socket

import pytest

from infra.observability.telemetry import gauge
from infra.process.health import Readiness, serving
from infra.process.http_server import PortTaken
from infra.settings import Settings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def fetch(port: int, path: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_the_three_pages_are_answered() -> None:
    settings = Settings(health_port=free_port())
    gauge("lag_entries", 7, consumer="test-of-health")
    async with serving(settings, lambda: Readiness(False, {"lag": 7})) as port:
        assert port == settings.health_port
        ready = await fetch(port, "/readyz")
        assert ready.startswith("HTTP/1.1 503")
        assert ready.endswith('{"ready":false,"lag":7}')
        assert (await fetch(port, "/healthz")).startswith("HTTP/1.1 200")
        assert "# TYPE yesser_lag_entries gauge" in await fetch(port, "/metrics")
        assert (await fetch(port, "/other")).startswith("HTTP/1.1 404")


async def test_the_port_is_free_again_afterwards() -> None:
    settings = Settings(health_port=free_port())
    for _ in range(2):
        async with serving(settings, lambda: Readiness(True)) as port:
            assert port is not None
            assert "200 OK" in await fetch(port, "/readyz")


async def test_the_processes_own_signal_handlers_stay() -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with serving(Settings(health_port=free_port()), lambda: Readiness(True)):
        await asyncio.sleep(0.05)
        assert signal.getsignal(signal.SIGTERM) is before


async def test_a_taken_port_is_one_sentence_with_the_remedy() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings = Settings(health_port=other.getsockname()[1])
        with pytest.raises(PortTaken, match="name another in YESSER_HEALTH_PORT"):
            async with serving(settings, lambda: Readiness(True)):
                raise AssertionError("it must not serve")
