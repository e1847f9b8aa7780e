"""Sign-in by the identity provider: the way there, the way back, and sign-out by its logout tokens."""

from __future__ import annotations

from typing import Annotated, Final, cast

import structlog
from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from consumers.console.accounts.accounts import find_by_subject, set_password
from consumers.console.accounts.oidc import COOKIE, VALID_S, Oidc, ProviderAway, SignInFailed, SignInTooWeak
from consumers.console.accounts.tries import Tries
from consumers.console.pages.signin import SignInPage, signed_in
from consumers.console.parts import ConsoleParts
from consumers.console.web.security import SIGN_IN
from infra.postgres.connection import TRANSIENT_ERRORS, Connection

BEGIN: Final = f"{SIGN_IN}/oidc"
CALLBACK: Final = f"{BEGIN}/callback"
LOGOUT: Final = f"{BEGIN}/logout"
_ADDRESS_LENGTH_MAX: Final = 1_024
_logger = structlog.get_logger(__name__)


def router(parts: ConsoleParts, oidc: Oidc, tries: Tries) -> APIRouter:
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
        parts.cookies.set(response, COOKIE, cookie, VALID_S)
        return response

    @routes.get(CALLBACK)
    async def callback(request: Request) -> Response:
        """Sign in the account of the provider's subject; a subject without one stays outside."""
        if wait_s := tries.peer_wait_s(_peer(request)):
            return SignInPage(parts, request, wait_s=wait_s).answer()
        given = dict(request.query_params)
        try:
            found = await oidc.finish(
                parts.cookies.value(request.cookies, COOKIE), given, _redirect_uri(parts, request)
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
        parts.cookies.delete(response, COOKIE)
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
