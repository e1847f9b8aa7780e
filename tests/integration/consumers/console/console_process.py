"""The console over a real PostgreSQL, without a browser: the process itself, a client of it, and a local issuer."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from consumers.console.process import Console
from infra.postgres.connection import Connection
from infra.secret_files import CONSOLE_KEY, OIDC_KEY, write_private
from infra.settings import Settings
from tests.integration.consumers.console.at_the_console import PASSWORD, add_account, write_accounts_key
from tests.world.waits import until

_ENGLISH: Final = {"yesser-language": "en"}
_ISSUER: Final = """
import sys, warnings
warnings.simplefilter("ignore")
from oidc_provider_mock import run_server_in_thread
with run_server_in_thread() as server:
    print(server.server_port, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class ConsoleHarness:
    """A running console with an account `health` of that agency, and one of labour's with the subject `sub-labour`."""

    settings: Settings
    connection: Connection
    address: str

    @asynccontextmanager
    async def browser(self, username: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody with cookies of their own, signed in if an account is named."""
        async with httpx.AsyncClient(base_url=self.address, timeout=60, cookies=_ENGLISH) as client:
            if username is not None:
                answer = await client.post("/sign-in", data={"username": username, "password": PASSWORD})
                assert answer.status_code == 303, answer.text
            yield client


def hidden(page: str, name: str) -> str:
    """The value of a hidden field. `re` is enough: the pages are our own, and escape every quote."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found.group(1).replace("&#34;", '"').replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")


@contextmanager
def local_issuer() -> Iterator[str]:
    """An OpenID Connect provider on this machine that signs in the subject that a test names."""
    command = [sys.executable, "-c", _ISSUER]
    pipe = subprocess.PIPE
    environment = os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield f"http://localhost:{port}"
        process.stdin.close()
        process.wait(30)


def write_console_key(settings: Settings) -> None:
    """The key that the console and the gateway share. A gateway reads it when it starts."""
    path = settings.secret_path(*CONSOLE_KEY)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, "a-key-of-the-tests-as-long-as-the-others-are")


@asynccontextmanager
async def run_console(settings: Settings, connection: Connection, **changes: Any) -> AsyncIterator[ConsoleHarness]:
    """The console without a gateway, unless `changes` name one."""
    away = {"console_port": 0, "console_gateway": "http://127.0.0.1:9"}
    changed = settings.model_copy(update=away | changes)
    write_console_key(changed)
    oidc = changed.secret_path(OIDC_KEY, "console")
    oidc.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(oidc, "what the issuer is shown")
    write_accounts_key(changed)
    await add_account(connection, "health", "agency", "health", "sub-health")
    await add_account(connection, "labour", "agency", "labour", "sub-labour")
    stop = asyncio.Event()
    console = Console(changed, lambda: datetime.now(UTC))
    task = asyncio.create_task(console.run(stop))
    try:

        async def serves_or_failed() -> bool:
            return task.done() or console.readiness().ready

        await until(serves_or_failed, "the console serves")
        if task.done():
            await task
        yield ConsoleHarness(changed, connection, f"http://127.0.0.1:{console.port}")
    finally:
        stop.set()
        with suppress(asyncio.CancelledError):
            await task
