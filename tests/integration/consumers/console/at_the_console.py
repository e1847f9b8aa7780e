"""The console's application on a test's own database, without a process or a browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import httpx

from consumers.console.accounts import accounts
from consumers.console.accounts.accounts import Account, Role
from consumers.console.accounts.passwords import hash_password
from consumers.console.app import application
from consumers.console.parts import Parts
from consumers.console.process import running_parts
from infra.keys.seals import Seals
from infra.postgres.connection import Connection
from infra.secret_files import ACCOUNTS_KEY, write_private
from infra.settings import Settings

PASSWORD: Final = "a password for tests"
ADDRESS: Final = "http://console.example"
_HASH: Final = hash_password(PASSWORD)
_KEY: Final = "a-key-of-the-tests-as-long-as-the-others"
SEALS: Final = Seals(_KEY.encode())


@asynccontextmanager
async def console(settings: Settings) -> AsyncIterator[Parts]:
    write_accounts_key(settings)
    async with running_parts(settings.acting_as("console"), lambda: datetime.now(UTC)) as parts:
        yield parts


def write_accounts_key(settings: Settings) -> None:
    """The key that the console and `yesser accounts` share."""
    path = settings.secret_path(*ACCOUNTS_KEY)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, _KEY)


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


@asynccontextmanager
async def signed_in(parts: Parts, username: str, language: str = "en") -> AsyncIterator[httpx.AsyncClient]:
    """A client that has signed in; it follows no redirects."""
    transport = httpx.ASGITransport(application(parts), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        client.cookies.set("yesser-language", language)
        answer = await client.post("/sign-in", data={"username": username, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        yield client


def csrf_of(page: str) -> str:
    """The session's secret in a page's forms."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]
