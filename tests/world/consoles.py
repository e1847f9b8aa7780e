"""A console on a test's own database: its application in this process, or the process itself over HTTP; no browser."""

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
from starlette.types import ASGIApp

from consumers.console.accounts import accounts
from consumers.console.accounts.accounts import Account, Role
from consumers.console.accounts.passwords import hash_password
from consumers.console.app import application
from consumers.console.page_request import ConsoleParts
from consumers.console.process import Console, running_parts
from infra.keys.seals import Seals
from infra.postgres.connection import Connection
from infra.secret_files import ACCOUNTS_KEY, CONSOLE_KEY, OIDC_KEY, write_private
from infra.settings import Settings
from tests.world.servers import connections
from tests.world.waits import until

PASSWORD: Final = "a password for tests"
ADDRESS: Final = "http://console.example"
BEGIN: Final = "/sign-in/oidc"
FORM: Final = "/workspace/publish/awareness.initiative-announced"
TYPED: Final = {
    "id": "away-1",
    "time": "2006-03-01T09:30",
    "do": "check",
    "data.initiative_id": "AWAY",
    "data.name.ar": "اسم",
    "data.name.en": 'Name "quoted" & <b>',
    "data.aim.ar": "هدف",
    "data.aim.en": "Aim",
    "data.on": "2006-03-01",
}
_ENGLISH: Final = {"yesser-language": "en"}
_HASH: Final = hash_password(PASSWORD)
_KEY: Final = "a-key-of-the-tests-as-long-as-the-others"
SEALS: Final = Seals(_KEY.encode())
_ISSUER: Final = """
import sys, warnings
warnings.simplefilter("ignore")
from oidc_provider_mock import run_server_in_thread
with run_server_in_thread() as server:
    print(server.server_port, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class ConsoleApp:
    """The application, and what its pages work with."""

    parts: ConsoleParts
    app: ASGIApp

    @asynccontextmanager
    async def visitor(self, language: str = "en") -> AsyncIterator[httpx.AsyncClient]:
        """Somebody with cookies of their own; the client follows no redirects."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        cookies = {"yesser-language": language}
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, cookies=cookies) as client:
            yield client

    @asynccontextmanager
    async def signed_in(
        self, username: str, language: str = "en", password: str = PASSWORD
    ) -> AsyncIterator[httpx.AsyncClient]:
        async with self.visitor(language) as client:
            assert await sign_in(client, username, password) == 303
            yield client


@asynccontextmanager
async def console(settings: Settings) -> AsyncIterator[ConsoleApp]:
    write_accounts_key(settings)
    async with running_parts(settings.acting_as("console"), lambda: datetime.now(UTC)) as parts:
        yield ConsoleApp(parts, application(parts))


def write_accounts_key(settings: Settings) -> None:
    """The key that the console and `yesser accounts` share."""
    _write_secret(settings, ACCOUNTS_KEY, _KEY)


def write_console_key(settings: Settings) -> None:
    """The key that the console and the gateway share. A gateway reads it when it starts."""
    _write_secret(settings, CONSOLE_KEY, "a-key-of-the-tests-as-long-as-the-others-are")


def _write_secret(settings: Settings, name: tuple[str, ...], text: str) -> None:
    path = settings.secret_path(*name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, text)


async def add_account(
    connection: Connection,
    username: str,
    role: Role,
    holder: str | None = None,
    subject: str | None = None,
    team: str | None = None,
    partners: tuple[str, ...] = (),
) -> None:
    """With the password of the tests. `connection`: with the rights of the superuser."""
    account = Account(username, role, holder, team, partners, language="en")
    await accounts.add_account(connection, SEALS, account, _HASH, subject)


async def sign_in(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> int:
    """The status of the answer."""
    return (await client.post("/sign-in", data={"username": username, "password": password})).status_code


async def csrf_of(client: httpx.AsyncClient, path: str = "/account") -> str:
    """The session's secret, as it is in the forms of a page."""
    return hidden((await client.get(path, follow_redirects=True)).text, "csrf")


async def change_password(client: httpx.AsyncClient, password: str, new: str) -> httpx.Response:
    given = {"csrf": await csrf_of(client), "password": password, "new_password": new}
    return await client.post("/account/password", data=given)


def hidden(page: str, name: str) -> str:
    """The value of a hidden field. `re` is enough: the pages are our own, and escape every quote."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found.group(1).replace("&#34;", '"').replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")


async def fill_in(browser: httpx.AsyncClient) -> dict[str, str]:
    """Fill in the form of an event; what the page gives for sending it."""
    csrf = await csrf_of(browser, FORM)
    page = (await browser.post(FORM, data={**TYPED, "csrf": csrf})).text
    return {"csrf": csrf, "event": hidden(page, "event")}


@dataclass(frozen=True)
class ConsoleHarness:
    """A running console with an account `health` of that agency, and one of labour's with the subject `sub-labour`."""

    settings: Settings
    connection: Connection
    address: str

    @asynccontextmanager
    async def browser(self, username: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody with cookies of their own, signed in if an account is named."""
        async with httpx.AsyncClient(base_url=self.address, timeout=60, cookies=_ENGLISH, verify=False) as client:
            if username is not None:
                assert await sign_in(client, username) == 303
            yield client


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


async def at_provider(browser: httpx.AsyncClient, begin: str, subject: str | None) -> str:
    """Go to the provider and sign in there as a subject (None: deny); the address that it sends the browser back to."""
    away = await browser.get(begin)
    assert away.status_code == 303, away.text
    answer = {"action": "deny"} if subject is None else {"sub": subject}
    back = await browser.post(away.headers["location"], data=answer)
    assert back.status_code in (302, 303), back.text
    return str(back.headers["location"])


@asynccontextmanager
async def deaf_gateway() -> AsyncIterator[str]:
    """Something that takes a request and closes the connection without an answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with connections(serve) as port:
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def run_console(settings: Settings, connection: Connection, **changes: Any) -> AsyncIterator[ConsoleHarness]:
    """The console without a gateway, unless `changes` name one."""
    away = {"console_port": 0, "console_gateway": "http://127.0.0.1:9"}
    changed = settings.model_copy(update=away | changes)
    write_console_key(changed)
    _write_secret(changed, (OIDC_KEY, "console"), "what the issuer is shown")
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
