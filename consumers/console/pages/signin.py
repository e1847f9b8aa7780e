"""The pages to sign in and out, to change the language, and of one's own account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from consumers.console.accounts import passwords
from consumers.console.accounts.accounts import USERNAME, Account, find_account
from consumers.console.accounts.kept_forms import SEALED_LENGTH_MAX, KeptForm
from consumers.console.accounts.sessions import COOKIE
from consumers.console.accounts.tries import COOKIE as BROWSER_COOKIE
from consumers.console.accounts.tries import KEPT_S, Tries
from consumers.console.guard import LANGUAGE_COOKIE
from consumers.console.navigation import home_of
from consumers.console.parts import Parts
from consumers.console.visit import Visit, Visiting, page_context
from consumers.console.web.language import LANGUAGES
from consumers.console.web.security import SIGN_IN
from infra.http.problems import Problem
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail

_YEAR_S: Final = 365 * 86_400
Fault = Literal["wrong", "no-account", "provider-away", "provider-refused"]
_STATUSES: Final[dict[Fault, int]] = {"wrong": 401, "no-account": 403, "provider-away": 503, "provider-refused": 401}
_SQL: Final = queries("consumers.console.accounts", "accounts.sql")


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The page to sign in. `kept` is a sealed form that waits for it."""

    parts: Parts
    request: Request
    back: str = "/"
    username: str = ""
    kept: str = ""
    fault: Fault | None = None
    wait_s: int = 0

    def answer(self) -> Response:
        form = self.parts.kept_forms.open(self.kept) if self.kept else None
        kept = self.kept if form is not None else ""
        context = page_context(
            self.request,
            None,
            next=self.back,
            username=self.username or (form.username if form else ""),
            kept=kept,
            fault=self.fault,
            wait_s=self.wait_s,
            provider=self._provider(kept),
            here=None if kept else SIGN_IN,
        )
        status = 429 if self.wait_s else _STATUSES[self.fault] if self.fault else 401 if kept else 200
        return self.parts.templates.page("sign-in.html", self.request.state.words, context, status)

    def _provider(self, kept: str) -> str | None:
        """The address that leads to the identity provider."""
        if self.parts.oidc is None:
            return None
        given = {"next": self.back} | ({"kept": self.parts.kept_forms.hold(kept)} if kept else {})
        return f"{SIGN_IN}/oidc?{urlencode(given)}"


def router(parts: Parts, tries: Tries) -> APIRouter:
    routes = APIRouter()

    @routes.get("/")
    async def home(visit: Visiting) -> Response:
        return visit.redirect(home_of(visit.account.role))

    @routes.get(SIGN_IN)
    async def sign_in_page(request: Request, next: str = "/") -> Response:
        return SignInPage(parts, request, next, kept=getattr(request.state, "kept_form", "")).answer()

    @routes.post(SIGN_IN)
    async def sign_in(
        request: Request,
        username: Annotated[str, Form(max_length=64)] = "",
        password: Annotated[str, Form(max_length=passwords.LENGTH_MAX)] = "",
        next: Annotated[str, Form(max_length=2_048)] = "/",
        kept: Annotated[str, Form(max_length=SEALED_LENGTH_MAX)] = "",
    ) -> Response:
        name = username.strip().lower()
        peer = request.client.host if request.client else ""
        page = SignInPage(parts, request, next, name, kept)
        if wait_s := tries.wait_s(peer, name, request.cookies.get(BROWSER_COOKIE, "")):
            return replace(page, wait_s=wait_s).answer()
        found = await find_account(parts.own, name) if USERNAME.fullmatch(name) else None
        account, kept_hash = found or (None, None)
        if not await parts.passwords.is_password(kept_hash, password) or account is None:
            return replace(page, fault="wrong").answer()
        return await signed_in(parts, tries, request, account, next, kept)

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

    _add_account_routes(routes, parts, tries)
    return routes


def _add_account_routes(routes: APIRouter, parts: Parts, tries: Tries) -> None:
    """The page of one's own account: its sessions and its password."""

    async def page(visit: Visit, fault: str | None = None, changed: str = "") -> Response:
        sessions = await parts.sessions.of(visit.account.username, visit.request.cookies.get(COOKIE))
        context = {"changed": changed, "fault": fault, "sessions": sessions, "length_min": passwords.LENGTH_MIN}
        return visit.page("account.html", 200 if fault is None else 422, **context)

    @routes.get("/account")
    async def account_page(visit: Visiting, changed: str = "") -> Response:
        return await page(visit, changed=changed)

    @routes.post("/account/sessions")
    async def end_other_sessions(visit: Visiting) -> Response:
        await parts.sessions.end_others(visit.account.username, visit.request.cookies.get(COOKIE))
        await visit.add_to_trail("end other sessions")
        return visit.redirect("/account?changed=sessions")

    @routes.post("/account/password")
    async def change_password(
        visit: Visiting,
        password: Annotated[str, Form(max_length=passwords.LENGTH_MAX)] = "",
        new_password: Annotated[str, Form(max_length=passwords.LENGTH_MAX)] = "",
    ) -> Response:
        if not visit.account.has_password:
            raise Problem("not-found")
        fault = None
        found = await find_account(parts.own, visit.account.username)
        if tries.signed_in_wait_s(visit.account.username):
            fault = "wait"
        elif len(new_password) < passwords.LENGTH_MIN:
            fault = "short"
        elif not await parts.passwords.is_password(found and found[1], password):
            fault = "wrong"
        if fault is not None:
            return await page(visit, fault)
        made = await parts.passwords.hash(new_password)
        async with parts.own.acquire() as connection, connection.transaction():
            await connection.execute(_SQL["set_password"], visit.account.username, made)
            await connection.execute(_SQL["end_sessions"], visit.account.username)
        await visit.add_to_trail("change password")
        return await signed_in(parts, tries, visit.request, visit.account, "/account?changed=password")


async def signed_in(
    parts: Parts, tries: Tries, request: Request, account: Account, back: str, kept: str = ""
) -> Response:
    """Begin a session, and lead to the page that was wanted, or to the form that was kept."""
    value, session = await parts.sessions.begin(account)
    await add_to_trail(parts.own, "sign in", by=f"console/{account.username}")
    request.state.account, request.state.csrf = account, session.csrf
    response: Response = RedirectResponse(own_path(back), 303)
    if kept:
        response = continue_page(parts, request, parts.kept_forms.open(kept))
    is_https = request.url.scheme == "https"
    response.set_cookie(COOKIE, value, samesite="lax", httponly=True, secure=is_https)
    browser = tries.remembered(request.cookies.get(BROWSER_COOKIE, ""), account.username)
    response.set_cookie(BROWSER_COOKIE, browser, KEPT_S, samesite="lax", httponly=True, secure=is_https)
    return response


def continue_page(
    parts: Parts, request: Request, form: KeptForm | None, status: int = 200, *, is_whole: bool = True
) -> Response:
    """What was typed in an earlier session, to be sent with one click. Nothing of it is shown to another account.

    `is_whole`: nothing that is not kept, as a file or a password, was part of it.
    """
    account: Account = request.state.account
    if form is not None and form.username != account.username:
        form = None
    again = None if is_whole else _page_of_form(request)
    context = page_context(request, account, form=form, is_whole=is_whole, again=again, here=None)
    return parts.templates.page("continue.html", request.state.words, context, status)


def _page_of_form(request: Request) -> str:
    """The page of this site that a form was on, as the browser says; else the first page."""
    found = urlsplit(request.headers.get("referer", ""))
    if found.netloc != request.headers.get("host"):
        return "/"
    return own_path(f"{found.path}?{found.query}" if found.query else found.path)


def own_path(address: str) -> str:
    """The path if it is one of this site, else the first page: nobody is sent elsewhere by a link to sign-in."""
    found = urlsplit(address)
    is_own = not found.scheme and not found.netloc and address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if is_own and "\\" not in address and "\n" not in address else "/"
