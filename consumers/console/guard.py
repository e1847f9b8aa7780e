"""What runs before every page: the session, its account's limits, the language, the headers of every answer, bodies of
a bounded size, and no foreign forms.

It also records in the trail what an account was refused, and each file that it downloaded.

Without a session only sign-in, static files and health answer; every other page leads to sign-in and back. A form that
was sent after its session ended is not read: the browser keeps it (`static/drafts.js`). With a password that an
administrator made, a session has one page more, on which the person chooses another.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consumers.console.accounts.accounts import Account
from consumers.console.accounts.sessions import COOKIE, Session
from consumers.console.page_request import address_of, page_context
from consumers.console.parts import ConsoleParts
from consumers.console.sending.uploads import FILE_BYTES_MAX
from consumers.console.web import assets
from consumers.console.web.explanations import explanation_of
from consumers.console.web.language import DEFAULT, Words
from consumers.console.web.security import (
    CHANGE_PASSWORD,
    HEADERS,
    HSTS,
    SAFE_METHODS,
    SIGN_IN,
    is_own_site,
    page_of_form,
)
from events.values.bilingual import LANGUAGES
from infra.http.problems import Explanation, Problem, language_of
from infra.http.rate_limits import Quota, RateLimit, Refusals, pattern_of
from infra.http.security_txt import SECURITY_TXT
from infra.postgres.connection import TRANSIENT_ERRORS
from infra.settings import Settings

LIVE: Final = "/live"
"""The path of the news for an open page, which is answered for as long as the page is open."""
BUSY_RETRY_S: Final = 1


class Limits:
    """`clock` is monotonic, in seconds."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._requests = RateLimit(settings.console_requests_per_s, settings.console_requests_burst)
        self._at_once = Quota(settings.console_requests_at_once_max, BUSY_RETRY_S)
        self._live = Quota(settings.console_live_pages_max, BUSY_RETRY_S)

    @contextmanager
    def using(self, username: str, path: str) -> Iterator[None]:
        """One request of an account while the block runs. Raises `Problem` (429), before anything is done."""
        if wait_s := self._requests.wait_s(username, self._clock()):
            raise Problem("too-many-requests", retry_after_s=wait_s)
        with (self._live if path == LIVE else self._at_once).using(username):
            yield


LANGUAGE_COOKIE: Final = "yesser-language"
_PUBLIC: Final = (SIGN_IN, "/language", assets.PREFIX, "/healthz", SECURITY_TXT)
_WITH_FIRST_PASSWORD: Final = (*_PUBLIC, CHANGE_PASSWORD, "/sign-out")
FORM_BYTES_MAX: Final = 1 << 20
UPLOAD_BYTES_MAX: Final = FILE_BYTES_MAX + (1 << 20)
_FILE: Final = re.compile(r'filename="([^"]{1,200})"')
_DOCUMENTS: Final = "/v1/"
_UTF_8: Final = (b"utf-8", b"utf8")

_Answered: Final = Exception
"""What Starlette raises again after the page of an error was sent and the error was logged."""


class Guard:
    """The ASGI application around the pages."""

    def __init__(self, app: ASGIApp, parts: ConsoleParts) -> None:
        self._app = app
        self._parts = parts
        self._limits = Limits(parts.settings, time.monotonic)
        self._refusals = Refusals(time.monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        path, method = scope["path"], scope["method"]
        cookies = cookie_parser(headers.get("cookie", ""))
        is_static = path.startswith(assets.PREFIX)
        ours = self._parts.cookies
        protected = _protected(send, keeps=is_static, is_https=ours.is_https)
        language = ours.value(cookies, LANGUAGE_COOKIE)
        try:
            session = None if is_static else await self._parts.sessions.find(ours.value(cookies, COOKIE))
        except TRANSIENT_ERRORS:
            scope["state"] = _state(None, language, headers)
            await self._error_page(Request(scope), Problem("database-away"))(scope, receive, protected)
            return
        scope["state"] = _state(session, language, headers)
        if session is not None:
            protected = self._recorded(protected, scope, session.account)
        if method not in SAFE_METHODS and not is_own_site(scope["headers"]):
            await Response("This form is not from the console.", 403)(scope, receive, protected)
        elif session is None and not path.startswith(_PUBLIC):
            await RedirectResponse(_to_sign_in(Request(scope)), 303)(scope, receive, protected)
        elif session is not None and session.account.must_change_password and not path.startswith(_WITH_FIRST_PASSWORD):
            answer: Response = RedirectResponse(CHANGE_PASSWORD, 303)
            if path == LIVE or path.startswith(_DOCUMENTS):  # no page
                answer = self._error_page(Request(scope), Problem("forbidden"))
            await answer(scope, receive, protected)
        else:
            try:
                with self._within_limits(session, path), suppress(_Answered):
                    await self._app(scope, _bounded(receive, headers), protected)
            except Problem as problem:
                await self._error_page(Request(scope), problem)(scope, receive, protected)

    def _within_limits(self, session: Session | None, path: str) -> AbstractContextManager[None]:
        """Sign-in has limits of its own."""
        return nullcontext() if session is None else self._limits.using(session.account.username, path)

    def _error_page(self, request: Request, problem: Problem) -> Response:
        """The page for somebody whose session cannot be looked up, or whose account asks for too much."""
        page = error_page(request, self._parts, explanation_of(problem.code), problem.code)
        page.headers.update(problem.headers)
        return page

    def _recorded(self, send: Send, scope: Scope, account: Account) -> Send:
        """Adds a row to the trail before an account is refused something (403), and before it downloads a file.

        The row has the pattern of the page's address, never the address, which somebody may have typed.
        """

        async def recorded(message: Message) -> None:
            if message["type"] == "http.response.start":
                words: tuple[str, ...] = ()
                if message["status"] == 403:
                    words = self._refusals.words(account.username, scope["method"], pattern_of(scope))
                elif message["status"] < 400 and (file := _file_of(message)) is not None:
                    words = "download", pattern_of(scope), file
                if words:
                    await self._parts.add_done_to_trail(account.username, *words)
            await send(message)

        return recorded


def error_page(
    request: Request,
    parts: ConsoleParts,
    explanation: Explanation,
    code: str,
    *,
    reasons: Sequence[str] = (),
    index: str | None = None,
) -> Response:
    """A page that says what happened and what to do. `index`: of a changed entry."""
    context = page_context(
        request, request.state.account, explanation=explanation, code=code, reasons=reasons, index=index
    )
    return parts.templates.page("error.html", request.state.words, context, explanation.status)


def _file_of(message: Message) -> str | None:
    """The name of the file that an answer is: of ids and periods, never typed."""
    found = _FILE.search(Headers(raw=message.get("headers", [])).get("content-disposition", ""))
    return found and found[1]


def _to_sign_in(request: Request) -> str:
    """The page to sign in, which leads back to the page, or to that of the form that was not read."""
    if request.method in SAFE_METHODS:
        return f"{SIGN_IN}?{urlencode({'next': address_of(request)}, safe='/')}"
    return f"{SIGN_IN}?{urlencode({'next': page_of_form(request), 'unsent': 1}, safe='/')}"


def _bounded(receive: Receive, headers: Headers) -> Receive:
    """Raises `HTTPException`: 413 for a body that is larger than any form of the console, 400 for one that is not in
    UTF-8. Browsers send no other charset, and some of Python's raise what nobody expects, or give half characters.
    """
    media_type, options = parse_options_header(headers.get("content-type"))
    is_upload = media_type.startswith(b"multipart/")
    is_utf_8 = not is_upload or options.get(b"charset", b"utf-8").lower() in _UTF_8
    left = UPLOAD_BYTES_MAX if is_upload else FORM_BYTES_MAX

    async def bounded() -> Message:
        nonlocal left
        if not is_utf_8:
            raise HTTPException(400)
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413)
        return message

    return bounded


def _state(session: Session | None, language: str, headers: Headers) -> dict[str, object]:
    """`language`: the one chosen in this browser. Else it is the account's, and before sign-in the browser's."""
    account = None if session is None else session.account
    chosen: Any = language
    if language not in LANGUAGES:
        chosen = language_of(headers.get("accept-language"), DEFAULT) if account is None else account.language
    return {
        "account": account,
        "caller": None if account is None else account.caller(),
        "csrf": "" if session is None else session.csrf,
        "words": Words(chosen),
    }


def _protected(send: Send, *, keeps: bool, is_https: bool) -> Send:
    """Adds the security headers. What is not a static file is one person's: the browser keeps nothing of it, and has no
    tag by which to ask again, for the next person at it may see something else.
    """

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in (*HEADERS, HSTS) if is_https else HEADERS:
                headers.setdefault(name.decode(), value.decode())
            if not keeps:
                headers["cache-control"] = "private, no-store"
                del headers["etag"]
        await send(message)

    return with_headers
