"""`curl --http2` offers HTTP/2 in each request, and is answered in HTTP/1.1."""

from __future__ import annotations

import asyncio
from pathlib import Path

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.events import encoded
from tests.world.senders import event, run_gateway

WHAT_WAS_SAID = "%{http_code} %{http_version}\n"


async def test_curl_with_http2_sends_and_reads(settings: Settings, connection: Connection, tmp_path: Path) -> None:
    body = encoded(event(1))
    (tmp_path / "event.json").write_bytes(body)
    async with run_gateway(settings, connection) as harness:
        address = f"http://127.0.0.1:{harness.gateway.port}"
        headers = [f"authorization: Bearer {harness.token.token}", "content-type: application/cloudevents+json"]
        sending = [*(f"-H{header}" for header in headers), "--data-binary", f"@{tmp_path / 'event.json'}"]
        assert await curl(*sending, f"{address}/v1/events") == "202 1.1"
        assert await curl("-H", "transfer-encoding: chunked", *sending, f"{address}/v1/events") == "202 1.1"
        assert await curl(f"{address}/v1/key") == "200 1.1"
        assert await harness.stored() == [body, body]


async def curl(*given: str) -> str:
    """Status and version of the answer."""
    command = ("curl", "--http2", "--silent", "--output", "/dev/null", "--write-out", WHAT_WAS_SAID, *given)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return said.decode().strip()
