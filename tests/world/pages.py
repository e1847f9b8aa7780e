"""Pages of the console without PostgreSQL and without a gateway: accounts, and what pages read and send."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cache
from inspect import iscoroutinefunction, signature
from typing import Any, Final, NamedTuple, cast
from unittest.mock import patch

import httpx
from fastapi import FastAPI

from consumers.api.reader import ReadAnswer, Reader, State
from consumers.console import page_request
from consumers.console.accounts.accounts import Account, Role
from consumers.console.accounts.sessions import COOKIE, Session, Sessions
from consumers.console.app import application
from consumers.console.data.gateway import KEPT_MAX, Gateway, Receipts, Reply
from consumers.console.data.live import Live
from consumers.console.data.read_api import ReadApi, caller_of
from consumers.console.page_request import ConsoleParts
from consumers.console.process import FURTHER
from consumers.console.sending.uploads import Uploads
from consumers.console.web.rendered import Rendered
from consumers.console.web.templates import Templates
from consumers.documents.campaigns.campaigns import InboxCounts
from infra.http.routes import RouteParts
from infra.keys.seals import Seals
from infra.postgres.connection import Pool
from infra.settings import Settings
from producers.sdk.problems import NotServed

CSRF: Final = "a secret of the tests"
OFFICE: Final = Account("desk", "office")
ADMINISTRATOR: Final = Account("desk", "administrator")
AGENCY: Final = Account("desk", "agency", "health")
TEAM: Final = Account("desk", "team", "health", "press")
_SETTINGS: Final = Settings()
_PAGES: Final = "consumers.console.pages."


def account_of(role: Role) -> Account:
    return {"agency": AGENCY, "team": TEAM}.get(role) or Account("desk", role)


class Documents:
    """A read API that answers pages the document that `answer` gives for the name of a function and its arguments."""

    app = FastAPI()
    reads: Any = None

    def __init__(self, answer: Callable[[str, Mapping[str, Any]], Any], waiting: int = 0) -> None:
        self._answer = answer
        self._counts = InboxCounts(**dict.fromkeys(InboxCounts.__struct_fields__, 0) | {"air": waiting})

    @contextmanager
    def asked(self) -> Iterator[None]:
        """In this block all pages ask it."""

        async def counts(*asked: Any) -> Any:
            return ReadAnswer(self._counts, State([0]))

        with ExitStack() as patched:
            patched.enter_context(patch.object(page_request, "inbox_counts_for", counts))
            for module in [found for name, found in sys.modules.items() if name.startswith(_PAGES)]:
                for name, function in [*vars(module).items()]:
                    if name.endswith("_for") and iscoroutinefunction(function):
                        patched.enter_context(patch.object(module, name, self._instead_of(function)))
            yield

    def _instead_of(self, function: Callable[..., Any]) -> Callable[..., Any]:
        names = [*signature(function).parameters][1:]

        async def answered(reader: Reader, *asked: Any, **more: Any) -> Any:
            found = self._answer(function.__name__, dict(zip(names, asked, strict=False)) | more)
            return ReadAnswer(found, State([0]))

        return answered


class Request(NamedTuple):
    """What a gateway was sent."""

    method: str
    path: str
    content: bytes | None
    language: str


class Replies:
    """A gateway that answers the status and the document that `reply` gives for a method and a path."""

    def __init__(self, reply: Callable[[str, str], tuple[int, Any]]) -> None:
        self.requests: list[Request] = []
        self._reply = reply

    async def ask(
        self, sending: Any, method: str, path: str, *, content: bytes | None = None, language: str = "", **_: Any
    ) -> Reply:
        self.requests.append(Request(method, path, content, language))
        return Reply(*self._reply(method, path))


def stored(*addresses: str) -> dict[str, Any]:
    """What a gateway answers to events that it has stored at these addresses of the topic."""
    events = [{"event": n, "id": f"e-{n}", "address": found, "sha256": "00"} for n, found in enumerate(addresses)]
    signed = {"kind": "stored", "agency": "health", "time": "2006-03-01T06:30:00Z", "events": events}
    return {"receipt": signed, "signature": "of the tests"}


class NoGateway:
    """A gateway that does not answer."""

    async def ask(self, *args: Any, **options: Any) -> Any:
        raise NotServed("no gateway answers")


class Positions:
    """The positions of the read models."""

    def __init__(self, **positions: int) -> None:
        self._positions = tuple(positions.items())

    async def positions(self) -> tuple[tuple[str, int], ...]:
        return self._positions


class Away:
    """A pool whose database is away."""

    def __getattr__(self, name: str) -> Any:
        raise ConnectionRefusedError


class OneSession:
    """Everybody with a cookie is signed in to this account."""

    def __init__(self, account: Account | None) -> None:
        self._account = account

    async def find(self, value: str | None) -> Session | None:
        return Session(self._account, CSRF) if value and self._account else None

    async def of(self, username: str, value: str | None) -> list[Mapping[str, Any]]:
        return []


@cache
def _read_api() -> ReadApi:
    return ReadApi(RouteParts(_SETTINGS, cast(Pool, Away()), caller_of), *FURTHER)


_templates = cache(Templates)
"""Compiled once: they remember nothing else."""


def parts_for(account: Account | None, **changes: Any) -> ConsoleParts:
    """`changes` are parts that a test needs beside the session, the templates and the read API."""
    away = cast(Pool, Away())
    live = changes.get("live") or Live(away)
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
        "directory": nothing,
        "seals": Seals(b"a key of the tests"),
        "sessions": cast(Sessions, OneSession(account)),
        "passwords": nothing,
        "templates": _templates(),
        "rendered": Rendered(live.positions, lambda: datetime.now(UTC)),
        "receipts": Receipts(KEPT_MAX),
        "uploads": Uploads(gateway),
        "oidc": None,
    }
    return ConsoleParts(**given | changes)


@asynccontextmanager
async def browser(
    account: Account | None = None, language: str | None = None, **changes: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody at the console; signed in if there is an account. An error that is not answered is raised."""
    parts = parts_for(account, **changes)
    transport = httpx.ASGITransport(application(parts))
    cookies = {parts.cookies.name(COOKIE): "any"} if account else {}
    if language is not None:
        cookies["yesser-language"] = language
    asked = parts.read_api.asked() if isinstance(parts.read_api, Documents) else nullcontext()
    async with httpx.AsyncClient(transport=transport, base_url="http://console", cookies=cookies) as client:
        with asked:
            yield client


async def page(account: Account | None, path: str, language: str | None = None, **changes: Any) -> httpx.Response:
    """The answer to one request; `path` may have parameters."""
    async with browser(account, language, **changes) as client:
        return await client.get(path)
