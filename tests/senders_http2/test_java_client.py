"""`java.net.http.HttpClient`, which offers HTTP/2 by default, sends events like any other client."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.events import encoded
from tests.world.senders import event, run_gateway

PROGRAM = Path(__file__).with_name("Send.java")


def java() -> Path:
    """The launcher beside the compiler: a runtime without one cannot run a source file."""
    compiler = shutil.which("javac")
    assert compiler is not None
    return Path(compiler).resolve().with_name("java")


async def test_javas_default_client_sends_events(settings: Settings, connection: Connection, tmp_path: Path) -> None:
    bodies = {tmp_path / f"{number}.json": encoded(event(number)) for number in range(3)}
    for file, body in bodies.items():
        file.write_bytes(body)
    async with run_gateway(settings, connection, gateway_head_timeout_s=10, gateway_body_timeout_s=10) as harness:
        address = f"http://127.0.0.1:{harness.gateway.port}"
        given = [str(PROGRAM), address, harness.token.token, *map(str, bodies)]
        process = await asyncio.create_subprocess_exec(java(), *given, stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
        assert said.split() == [b"202"] * 3
        assert await harness.stored() == [*bodies.values()]
