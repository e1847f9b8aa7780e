"""The pages to sign in and out, by a password or by the identity provider, to change the language, and of one's own
account. The provider signs people out by its logout tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal, cast
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from msgspec import convert

from consumers.console.accounts import passwords
from consumers.console.accounts.accounts import (
    USERNAME,
    Account,
    PasswordChanged,
    find_account,
    find_by_subject,
    set_password,
)
from consumers.console.accounts.oidc import COOKIE as OIDC_COOKIE
from consumers.console.accounts.oidc import VALID_S, Oidc, ProviderAway, SignInFailed, SignInTooWeak
from consumers.console.accounts.sessions import COOKIE
from consumers.console.accounts.tries import COOKIE as BROWSER_COOKIE
from consumers.console.accounts.tries import KEPT_S, Tries
from consumers.console.page_request import ConsoleParts, Visit, Visiting, home_of, page_context
from consumers.console.web.security import CHANGE_PASSWORD, LANGUAGE_COOKIE, SIGN_IN, own_path
from consumers.documents.teams.teams import AccountRole
from events.values.bilingual import LANGUAGES
from infra.http.problems import Problem
from infra.postgres.connection import TRANSIENT_ERRORS, Connection
from infra.postgres.sql import queries

_YEAR_S: Final = 365 * 86_400
Fault = Literal["wrong", "no-account", "provider-away", "provider-refused", "provider-too-weak"]
_STATUSES: Final[dict[Fault, int]] = {
    "wrong": 401,
    "no-account": 403,
    "provider-away": 503,
    "provider-refused": 401,
    "provider-too-weak": 401,
}
_SQL: Final = queries("consumers.console.accounts", "accounts.sql")


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The page to sign in. `unsent`: a form of a session that has ended brought the browser here."""

    parts: ConsoleParts
    request: Request
    back: str = "/"
    username: str = ""
    unsent: bool = False
    fault: Fault | None = None
    claim: str = ""
    """Of the provider's token, that is missing or does not suffice."""
    wait_s: int = 0

    def answer(self) -> Response:
        context = page_context(
            self.request,
            None,
            next=self.back,
            username=self.username,
            unsent=self.unsent,
            fault=self.fault,
            claim=self.claim,
            wait_s=self.wait_s,
            passwords=self.parts.has_passwords,
            provider=f"{SIGN_IN}/oidc?{urlencode({'next': self.back})}" if self.parts.oidc is not None else None,
            here=SIGN_IN,
        )
        status = 429 if self.wait_s else _STATUSES[self.fault] if self.fault else 200
        return self.parts.templates.page("sign-in.html", self.request.state.words, context, status)


def signin_router(parts: ConsoleParts, tries: Tries) -> APIRouter:
    routes = APIRouter()

    @routes.get("/")
    async def home(visit: Visiting) -> Response:
        return visit.redirect(home_of(visit.account.role))

    @routes.get(SIGN_IN)
    async def sign_in_page(request: Request, next: str = "/", unsent: bool = False) -> Response:
        return SignInPage(parts, request, next, unsent=unsent).answer()

    @routes.post(SIGN_IN)
    async def sign_in(
        request: Request,
        username: Annotated[str, Form(max_length=64)] = "",
        password: Annotated[str, Form(max_length=passwords.LENGTH_MAX)] = "",
        next: Annotated[str, Form(max_length=2_048)] = "/",
    ) -> Response:
        _require_passwords(parts)
        name = username.strip().lower()
        page = SignInPage(parts, request, next, name)
        if wait_s := tries.wait_s(_peer(request), name, parts.cookies.value(request.cookies, BROWSER_COOKIE)):
            return replace(page, wait_s=wait_s).answer()
        found = await find_account(parts.own, parts.seals, name) if USERNAME.fullmatch(name) else None
        account, password_hash = found or (None, None)
        if not await parts.passwords.is_password(password_hash, password) or account is None:
            await parts.add_done_to_trail(account.username if account else None, "sign in refused")
            return replace(page, fault="wrong").answer()
        try:
            return await signed_in(parts, tries, request, account, next, password_hash=password_hash)
        except PasswordChanged:
            return replace(page, fault="wrong").answer()

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        await parts.sessions.end(parts.cookies.value(request.cookies, COOKIE))
        response = RedirectResponse(SIGN_IN, 303)
        parts.cookies.delete(response, COOKIE)
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
            parts.cookies.set(response, LANGUAGE_COOKIE, language, _YEAR_S)
        return response

    _add_account_routes(routes, parts, tries)
    return routes


def _add_account_routes(routes: APIRouter, parts: ConsoleParts, tries: Tries) -> None:
    """The page of one's own account: its sessions and its password."""

    async def page(visit: Visit, fault: str | None = None, changed: str = "") -> Response:
        sessions = await parts.sessions.of(visit.account.username, parts.cookies.value(visit.request.cookies, COOKIE))
        context = {"changed": changed, "fault": fault, "sessions": sessions, "length_min": passwords.LENGTH_MIN}
        context["passwords"] = parts.has_passwords and visit.account.has_password
        template = "choose-password.html" if visit.account.must_change_password else "account.html"
        role = convert(visit.account.role, AccountRole)
        return visit.page(template, 200 if fault is None else 422, role=role, **context)

    @routes.get("/account")
    async def account_page(visit: Visiting, changed: str = "") -> Response:
        return await page(visit, changed=changed)

    @routes.post("/account/sessions")
    async def end_other_sessions(visit: Visiting) -> Response:
        await parts.sessions.end_others(visit.account.username, parts.cookies.value(visit.request.cookies, COOKIE))
        await visit.add_to_trail("end other sessions")
        return visit.redirect("/account?changed=sessions")

    @routes.get(CHANGE_PASSWORD)
    async def password_page(visit: Visiting) -> Response:
        """To choose one, where an administrator made the one of now."""
        return await page(visit) if visit.account.must_change_password else visit.redirect("/account")

    @routes.post(CHANGE_PASSWORD)
    async def change_password(
        visit: Visiting,
        password: Annotated[str, Form(max_length=passwords.LENGTH_MAX)] = "",
        new_password: Annotated[str, Form(max_length=passwords.LENGTH_MAX)] = "",
    ) -> Response:
        _require_passwords(parts)
        if not visit.account.has_password:
            raise Problem("not-found")
        fault = None
        found = await find_account(parts.own, parts.seals, visit.account.username)
        if tries.signed_in_wait_s(visit.account.username):
            fault = "wait"
        elif len(new_password) < passwords.LENGTH_MIN:
            fault = "short"
        elif not await parts.passwords.is_password(found and found[1], password):
            fault = "wrong"
            await parts.add_done_to_trail(visit.account.username, "change password refused")
        elif new_password == password:
            fault = "same"
        if fault is not None:
            return await page(visit, fault)
        made = await parts.passwords.hash(new_password)
        session = await parts.sessions.find(parts.cookies.value(visit.request.cookies, COOKIE))
        try:
            async with parts.own.acquire() as connection, connection.transaction():
                of_own, before = cast(Connection, connection), found and found[1]
                await set_password(of_own, parts.seals, visit.account.username, made, before=before)
        except PasswordChanged:
            return await page(visit, "wrong")
        await visit.add_to_trail("change password")
        back = "/" if visit.account.must_change_password else "/account?changed=password"
        return await signed_in(
            parts, tries, visit.request, visit.account, back, None if session is None else session.sid
        )


def _require_passwords(parts: ConsoleParts) -> None:
    """Raises `Problem` (404) where people sign in at the identity provider alone."""
    if not parts.has_passwords:
        raise Problem("not-found")


async def signed_in(
    parts: ConsoleParts,
    tries: Tries,
    request: Request,
    account: Account,
    back: str,
    sid: bytes | None = None,
    password_hash: str | None = None,
) -> Response:
    """Begin a session, and lead to the page that was wanted. `sid`: that of `SignedIn`. Raises `PasswordChanged`."""
    value = await parts.sessions.begin(account, sid, password_hash)
    await parts.add_to_trail(account.username, "sign in")
    response = RedirectResponse(own_path(back), 303)
    parts.cookies.set(response, COOKIE, value)
    browser = tries.remembered(parts.cookies.value(request.cookies, BROWSER_COOKIE), account.username)
    parts.cookies.set(response, BROWSER_COOKIE, browser, KEPT_S)
    return response


BEGIN: Final = f"{SIGN_IN}/oidc"
CALLBACK: Final = f"{BEGIN}/callback"
LOGOUT: Final = f"{BEGIN}/logout"
_ADDRESS_LENGTH_MAX: Final = 1_024
_logger = structlog.get_logger(__name__)


def oidc_router(parts: ConsoleParts, oidc: Oidc, tries: Tries) -> APIRouter:
    routes = APIRouter()

    @routes.get(BEGIN)
    async def begin(request: Request, next: str = "/") -> Response:
        """Send the browser to the provider."""
        if wait_s := tries.peer_wait_s(_peer(request)):
            return SignInPage(parts, request, wait_s=wait_s).answer()
        try:
            address, cookie = await oidc.begin(_redirect_uri(parts, request), next[:_ADDRESS_LENGTH_MAX])
        except (ProviderAway, SignInFailed) as error:
            return _failed(parts, request, error)
        response = RedirectResponse(address, 303)
        parts.cookies.set(response, OIDC_COOKIE, cookie, VALID_S)
        return response

    @routes.get(CALLBACK)
    async def callback(request: Request) -> Response:
        """Sign in the account of the provider's subject; a subject without one stays outside."""
        if wait_s := tries.peer_wait_s(_peer(request)):
            return SignInPage(parts, request, wait_s=wait_s).answer()
        given = dict(request.query_params)
        try:
            found = await oidc.finish(
                parts.cookies.value(request.cookies, OIDC_COOKIE), given, _redirect_uri(parts, request)
            )
        except (ProviderAway, SignInFailed) as error:
            if isinstance(error, SignInTooWeak):
                known = await find_by_subject(parts.own, parts.seals, error.subject)
                await parts.add_done_to_trail(None if known is None else known.username, "sign in refused", error.claim)
            elif isinstance(error, SignInFailed):
                await parts.add_done_to_trail(None, "sign in refused")
            return _failed(parts, request, error)
        account = await find_by_subject(parts.own, parts.seals, found.subject)
        if account is None:
            await parts.add_done_to_trail(None, "sign in refused")
            return SignInPage(parts, request, fault="no-account").answer()
        if account.must_change_password and not parts.has_passwords:  # nobody can use it, nor choose another
            async with parts.own.acquire() as connection, connection.transaction():
                await set_password(cast(Connection, connection), parts.seals, account.username, None)
        response = await signed_in(parts, tries, request, account, found.back, found.sid)
        parts.cookies.delete(response, OIDC_COOKIE)
        return response

    @routes.post(LOGOUT)
    async def log_out(request: Request, logout_token: Annotated[str, Form()] = "") -> Response:
        """End the sessions of whom the provider signed out: 200, else 400 (Back-Channel Logout 1.0, 2.8)."""
        if wait_s := tries.peer_wait_s(_peer(request)):
            return Response(status_code=429, headers={"Retry-After": str(wait_s)})
        try:
            ended = await parts.sessions.end_of_provider(await oidc.signed_out(logout_token))
        except (ProviderAway, SignInFailed, *TRANSIENT_ERRORS) as error:
            _logger.warning("a sign-out by the identity provider failed", reason=repr(error))
            if isinstance(error, SignInFailed):
                await parts.add_done_to_trail(None, "sign out refused")
            return JSONResponse({"error": "invalid_request"}, 400)
        for username in ended:
            await parts.add_done_to_trail(username, "sign out by the provider")
        return Response()

    return routes


def _redirect_uri(parts: ConsoleParts, request: Request) -> str:
    base = parts.settings.console_address or f"{request.url.scheme}://{request.url.netloc}"
    return base.rstrip("/") + CALLBACK


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


def _failed(parts: ConsoleParts, request: Request, error: Exception) -> Response:
    if isinstance(error, SignInTooWeak):
        _logger.warning("the identity provider did not authenticate as required", claim=error.claim)
        return SignInPage(parts, request, fault="provider-too-weak", claim=error.claim).answer()
    is_away = isinstance(error, ProviderAway)
    _logger.warning("sign-in by the identity provider failed", is_away=is_away, cause=type(error.__cause__).__name__)
    return SignInPage(parts, request, fault="provider-away" if is_away else "provider-refused").answer()
