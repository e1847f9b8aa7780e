"""The pages to sign in and out, to change the language, and of one's own account."""

from __future__ import annotations

import time
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from consumers.console.accounts import passwords
from consumers.console.accounts.accounts import USERNAME, Account, find_account
from consumers.console.accounts.sessions import COOKIE
from consumers.console.guard import LANGUAGE_COOKIE, SIGN_IN
from consumers.console.navigation import home_of
from consumers.console.parts import Parts
from consumers.console.visit import Visiting, page_context
from consumers.console.web.language import LANGUAGES
from infra.http.rate_limits import RateLimit
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail

_YEAR_S: Final = 365 * 86_400
_PEER_PER_S: Final = 0.5
_PEER_BURST: Final = 60
"""Many desks may share an address."""
_NAME_PER_S: Final = 0.1
_NAME_BURST: Final = 10
_SQL: Final = queries("consumers.console.accounts", "accounts.sql")


class Tries:
    """Limits sign-ins: of one peer, and for one account. `clock` is monotonic."""

    def __init__(self) -> None:
        self._peers = RateLimit(_PEER_PER_S, _PEER_BURST)
        self._names = RateLimit(_NAME_PER_S, _NAME_BURST)

    def wait_s(self, peer: str, username: str) -> int:
        """0 if another try is allowed, which is then counted; else the seconds to wait."""
        now = time.monotonic()
        return self._peers.wait_s(peer, now) or self._names.wait_s(username, now)


def router(parts: Parts) -> APIRouter:
    routes = APIRouter()
    tries = Tries()

    @routes.get("/")
    async def home(visit: Visiting) -> Response:
        return visit.redirect(home_of(visit.account.role))

    @routes.get(SIGN_IN)
    async def sign_in_page(request: Request, next: str = "/") -> Response:
        return _sign_in_page(parts, request, next)

    @routes.post(SIGN_IN)
    async def sign_in(
        request: Request,
        username: Annotated[str, Form(max_length=64)] = "",
        password: Annotated[str, Form(max_length=passwords.LENGTH_MAX)] = "",
        next: Annotated[str, Form(max_length=2_048)] = "/",
    ) -> Response:
        name = username.strip().lower()
        peer = request.client.host if request.client else ""
        if wait_s := tries.wait_s(peer, name):
            return _sign_in_page(parts, request, next, name, wait_s=wait_s)
        found = await find_account(parts.own, name) if USERNAME.fullmatch(name) else None
        account, kept = found or (None, None)
        if not await parts.passwords.is_password(kept, password) or account is None:
            return _sign_in_page(parts, request, next, name, is_wrong=True)
        return await signed_in(parts, request, account, next)

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        await parts.sessions.end(request.cookies.get(COOKIE))
        response = RedirectResponse(SIGN_IN, 303)
        response.delete_cookie(COOKIE)
        return response

    @routes.post("/language")
    async def language(
        request: Request,
        language: Annotated[str, Form(max_length=2)],
        back: Annotated[str, Form(max_length=2_048)] = "/",
    ) -> Response:
        response = RedirectResponse(own_path(back), 303)
        if language in LANGUAGES:
            account: Account | None = request.state.account
            if account is not None:
                await parts.own.execute(_SQL["set_language"], account.username, language)
            response.set_cookie(LANGUAGE_COOKIE, language, _YEAR_S, samesite="lax", httponly=True)
        return response

    @routes.get("/account")
    async def account_page(visit: Visiting, changed: bool = False) -> Response:
        return visit.page("account.html", changed=changed, fault=None, length_min=passwords.LENGTH_MIN)

    @routes.post("/account/password")
    async def change_password(
        visit: Visiting,
        password: Annotated[str, Form(max_length=passwords.LENGTH_MAX)] = "",
        new_password: Annotated[str, Form(max_length=passwords.LENGTH_MAX)] = "",
    ) -> Response:
        fault = None
        found = await find_account(parts.own, visit.account.username)
        if tries.wait_s("", visit.account.username):
            fault = "wait"
        elif len(new_password) < passwords.LENGTH_MIN:
            fault = "short"
        elif not await parts.passwords.is_password(found and found[1], password):
            fault = "wrong"
        if fault is not None:
            return visit.page("account.html", 422, changed=False, fault=fault, length_min=passwords.LENGTH_MIN)
        made = await parts.passwords.hash(new_password)
        async with parts.own.acquire() as connection, connection.transaction():
            await connection.execute(_SQL["set_password"], visit.account.username, made)
            await connection.execute(_SQL["end_sessions"], visit.account.username)
        await visit.add_to_trail("change password")
        return await signed_in(parts, visit.request, visit.account, "/account?changed=true")

    return routes


async def signed_in(parts: Parts, request: Request, account: Account, back: str) -> Response:
    """Begin a session, and lead to the page that was wanted."""
    value = await parts.sessions.begin(account)
    await add_to_trail(parts.own, "sign in", by=f"console/{account.username}")
    response = RedirectResponse(own_path(back), 303)
    is_https = request.url.scheme == "https"
    response.set_cookie(COOKIE, value, samesite="lax", httponly=True, secure=is_https)
    return response


def own_path(address: str) -> str:
    """The path if it is one of this site, else the first page: nobody is sent elsewhere by a link to sign-in."""
    found = urlsplit(address)
    is_own = not found.scheme and not found.netloc and address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if is_own and "\\" not in address and "\n" not in address else "/"


def _sign_in_page(
    parts: Parts, request: Request, back: str, username: str = "", *, is_wrong: bool = False, wait_s: int = 0
) -> Response:
    context = page_context(request, None, next=back, username=username, is_wrong=is_wrong, wait_s=wait_s)
    status = 429 if wait_s else 401 if is_wrong else 200
    return parts.templates.page("sign-in.html", request.state.words, context, status)
