"""The console's application on a test's own database, without a process or a browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import httpx

from consumers.console.accounts.passwords import hash_password
from consumers.console.app import application
from consumers.console.parts import Parts
from consumers.console.process import running_parts
from infra.postgres.connection import Connection
from infra.settings import Settings

PASSWORD: Final = "a password for tests"
ADDRESS: Final = "http://console.example"
_KEPT: Final = hash_password(PASSWORD)


@asynccontextmanager
async def console(settings: Settings) -> AsyncIterator[Parts]:
    async with running_parts(settings.acting_as("console"), lambda: datetime.now(UTC)) as parts:
        yield parts


async def add_account(connection: Connection, username: str, role: str, holder: str | None = None) -> None:
    """`connection`: with the rights of the superuser."""
    await connection.execute(
        "INSERT INTO console.account (username, role, holder, password_hash) VALUES ($1, $2, $3, $4)",
        *(username, role, holder, _KEPT),
    )


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
