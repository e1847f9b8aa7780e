"""Sign-in by the identity provider: the way there, and the way back."""

from __future__ import annotations

from typing import Final, cast

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from consumers.console.accounts.accounts import find_by_subject, set_password
from consumers.console.accounts.oidc import COOKIE, VALID_S, Oidc, ProviderAway, SignInFailed
from consumers.console.accounts.tries import Tries
from consumers.console.pages.signin import SignInPage, signed_in
from consumers.console.parts import Parts
from consumers.console.web.security import SIGN_IN
from infra.postgres.connection import Connection

BEGIN: Final = f"{SIGN_IN}/oidc"
CALLBACK: Final = f"{BEGIN}/callback"
_ADDRESS_LENGTH_MAX: Final = 1_024
_logger = structlog.get_logger(__name__)


def router(parts: Parts, oidc: Oidc, tries: Tries) -> APIRouter:
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
            if isinstance(error, SignInFailed):
                await parts.add_done_to_trail(None, "sign in refused")
            return _failed(parts, request, error)
        account = await find_by_subject(parts.own, parts.seals, found.subject)
        if account is None:
            await parts.add_done_to_trail(None, "sign in refused")
            return SignInPage(parts, request, fault="no-account").answer()
        if account.must_change_password and not parts.has_passwords:  # nobody can use it, nor choose another
            async with parts.own.acquire() as connection, connection.transaction():
                await set_password(cast(Connection, connection), parts.seals, account.username, None)
        response = await signed_in(parts, tries, request, account, found.back)
        parts.cookies.delete(response, COOKIE)
        return response

    return routes


def _redirect_uri(parts: Parts, request: Request) -> str:
    base = parts.settings.console_address or f"{request.url.scheme}://{request.url.netloc}"
    return base.rstrip("/") + CALLBACK


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


def _failed(parts: Parts, request: Request, error: Exception) -> Response:
    is_away = isinstance(error, ProviderAway)
    _logger.warning("sign-in by the identity provider failed", is_away=is_away, cause=type(error.__cause__).__name__)
    return SignInPage(parts, request, fault="provider-away" if is_away else "provider-refused").answer()
