"""The console's application without PostgreSQL and without a gateway: what it decides before it asks either."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, cast

import httpx

from consumers.console.accounts.accounts import Account
from consumers.console.accounts.sessions import COOKIE, Session, Sessions
from consumers.console.app import application
from consumers.console.data.gateway import Gateway, GatewayAway
from consumers.console.data.live import Live
from consumers.console.data.read_api import ReadApi, caller_of
from consumers.console.parts import Parts
from consumers.console.process import FURTHER
from consumers.console.sending.receipts import Receipts
from consumers.console.sending.uploads import Uploads
from consumers.console.web.rendered import Rendered
from consumers.console.web.templates import Templates
from infra.http.routes import RouteParts
from infra.keys.seals import Seals
from infra.postgres.connection import Pool
from infra.settings import Settings

CSRF: Final = "a secret of the tests"
_SETTINGS: Final = Settings()


class Away:
    """A pool whose database is away."""

    def __getattr__(self, name: str) -> Any:
        raise ConnectionRefusedError


class NoGateway:
    """A gateway that does not answer."""

    async def ask(self, *args: Any, **options: Any) -> Any:
        raise GatewayAway(may_be_stored=False)


class OneSession:
    """Everybody with a cookie is signed in to this account."""

    def __init__(self, account: Account | None) -> None:
        self._account = account

    async def find(self, value: str | None) -> Session | None:
        return Session(self._account, CSRF) if value and self._account else None

    async def of(self, username: str, value: str | None) -> list[dict[str, Any]]:
        return []


@cache
def _read_api() -> ReadApi:
    return ReadApi(RouteParts(_SETTINGS, cast(Pool, Away()), caller_of), *FURTHER)


_templates = cache(Templates)
"""Compiled once: they remember nothing else."""


def parts_for(account: Account | None, **changes: Any) -> Parts:
    """`changes` are parts that a test needs beside the session, the templates and the read API."""
    away = cast(Pool, Away())
    live = Live(away)
    nothing: Any = None
    gateway = cast(Gateway, NoGateway())
    given: dict[str, Any] = {
        "settings": _SETTINGS,
        "clock": lambda: datetime.now(UTC),
        "reads": away,
        "own": away,
        "read_api": _read_api(),
        "gateway": gateway,
        "live": live,
        "seals": Seals(b"a key of the tests"),
        "sessions": cast(Sessions, OneSession(account)),
        "passwords": nothing,
        "templates": _templates(),
        "rendered": Rendered(live.positions, lambda: datetime.now(UTC)),
        "receipts": Receipts(),
        "uploads": Uploads(gateway),
        "oidc": None,
    }
    return Parts(**given | changes)


@asynccontextmanager
async def browser(account: Account | None = None, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody at the console; signed in if there is an account. An error that is not answered is raised."""
    parts = parts_for(account, **changes)
    transport = httpx.ASGITransport(application(parts))
    cookies = {parts.cookies.name(COOKIE): "any"} if account else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://console", cookies=cookies) as client:
        yield client
