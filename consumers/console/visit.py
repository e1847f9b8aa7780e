"""A request of somebody who is signed in: who it is, what it may see, and how a page is answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import structlog
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from consumers.console.accounts.accounts import Account, Role
from consumers.console.data.gateway import Reply
from consumers.console.data.read_api import Answer
from consumers.console.navigation import OPEN_ENTRIES, items_of
from consumers.console.parts import Parts
from consumers.console.web.language import Words
from consumers.console.web.security import SAFE_METHODS
from infra.http.callers import Caller
from infra.http.console_tokens import Sending
from infra.http.problems import Problem
from infra.postgres.connection import TRANSIENT_ERRORS
from infra.postgres.trail import add_to_trail

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Visit:
    """A page's parameter. It is there for signed-in people only."""

    request: Request
    parts: Parts
    account: Account
    words: Words

    @property
    def caller(self) -> Caller:
        """As whom the person reads and sends. Raises `Problem` (403) for an administrator, and while the agency is
        suspended."""
        caller = self.account.caller()
        if caller is None:
            raise Problem("forbidden")
        if caller.is_suspended:
            raise Problem("suspended")
        return caller

    @property
    def sending(self) -> Sending:
        """The account, as the gateway's token names it. Raises like `caller`."""
        return Sending(self.account.username, self.account.role, self.caller.holder)

    @property
    def opens_entries(self) -> bool:
        """Whether the person may open entries, and see money."""
        return self.account.role in OPEN_ENTRIES

    async def read(self, path: str, **parameters: Any) -> Answer:
        """Ask the read API, such as `/v1/plan`. Raises `NotAnswered`, which is shown as a page."""
        return await self.parts.read_api.get(self.caller, path, parameters)

    async def download(self, path: str, media_type: str, filename: str) -> Response:
        """A file of the read API, for the browser to keep. Raises `NotAnswered`."""
        content = await self.parts.read_api.file(self.caller, path, media_type)
        return attachment(content, media_type, filename)

    async def send(
        self, method: str, path: str, content: bytes | None = None, content_type: str = "application/json", **query: str
    ) -> Reply:
        """Ask the gateway, as this person's agency. Raises `GatewayAway`, which is shown as a page."""
        return await self.parts.gateway.ask(
            self.sending,
            method,
            path,
            language=self.words.language,
            content=content,
            content_type=content_type,
            parameters=query or None,
        )

    async def add_to_trail(self, *words: str) -> None:
        """Record what the person did. No text that somebody typed."""
        await add_to_trail(self.parts.own, *words, by=f"console/{self.account.username}")

    async def add_done_to_trail(self, *words: str) -> None:
        """The same of what is done and stays done: while the database is away it is logged, for no page may say then
        that nothing happened."""
        try:
            await self.add_to_trail(*words)
        except TRANSIENT_ERRORS as error:
            _logger.error("the trail lacks what was done", by=self.account.username, did=words, reason=repr(error))

    def page(self, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """Render a template that extends `layout.html`."""
        return self.parts.templates.page(
            template, self.words, page_context(self.request, self.account, **context), status
        )

    def redirect(self, address: str) -> RedirectResponse:
        """Answer a form: the browser loads `address`, so that a reload sends nothing again."""
        return RedirectResponse(address, 303)


def attachment(content: bytes, media_type: str, filename: str) -> Response:
    """A file for the browser to keep. `filename` is of letters, digits, dots and hyphens."""
    disposition = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return Response(content, headers=disposition, media_type=media_type)


def page_context(request: Request, account: Account | None, **context: Any) -> dict[str, Any]:
    """What the layout needs besides a page's own context. `here`: where the page can be loaded again, to follow the log
    or in the other language; None for the answer to a form. `unsent`: a form brought the browser here without having
    been read."""
    return {
        "account": account,
        "csrf": getattr(request.state, "csrf", ""),
        "path": request.url.path,
        "here": address_of(request) if request.method in SAFE_METHODS else None,
        "navigation": items_of(account.role) if account is not None else (),
        "opens_entries": account is not None and account.role in OPEN_ENTRIES,
        "live": False,
        "unsent": False,
        **context,
    }


def address_of(request: Request) -> str:
    """The path with its query."""
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


async def _visit(request: Request) -> Visit:
    account: Account | None = request.state.account
    if account is None:  # pages that need nobody do not ask for a visit
        raise Problem("unauthenticated")
    return Visit(request, request.app.state.parts, account, request.state.words)


Visiting = Annotated[Visit, Depends(_visit)]
"""A route's parameter."""


def only(roles: Iterable[Role]) -> Any:
    """A dependency of routes that only these roles may use. Raises `Problem` (403)."""
    allowed = frozenset(roles)

    async def require(visit: Visiting) -> None:
        if visit.account.role not in allowed:
            raise Problem("forbidden")

    return Depends(require)
