"""The console's application: pages, downloads, news for open pages, static files, a page for every error, and what runs
before every page: the session, its account's limits, the language, the headers of every answer, bodies of a bounded
size, and no foreign forms.

It also records in the trail what an account was refused, and each file that it downloaded.

Without a session only sign-in, static files and health answer; every other page leads to sign-in and back. A form that
was sent after its session ended is not read: the browser keeps it (`static/drafts.js`). With a password that an
administrator made, a session has one page more, on which the person chooses another.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Final
from urllib.parse import urlencode

import structlog
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consumers.console.accounts.accounts import Account
from consumers.console.accounts.sessions import COOKIE, Session
from consumers.console.accounts.tries import Sealer, Tries
from consumers.console.data.live import TooManyPages
from consumers.console.data.read_api import CODES, changed_row_of
from consumers.console.page_request import OPEN_ENTRIES, ConsoleParts, Visiting, address_of, is_refused, page_context
from consumers.console.pages import approvals
from consumers.console.pages.audit import routes as audit
from consumers.console.pages.campaigns import routes as campaigns
from consumers.console.pages.operations import routes as operations
from consumers.console.pages.partnerships import reconciliation, what_if
from consumers.console.pages.partnerships import routes as partnerships
from consumers.console.pages.plan import routes as plan
from consumers.console.pages.signin import CALLBACK as OIDC_CALLBACK
from consumers.console.pages.signin import oidc_router, signin_router
from consumers.console.pages.workspace import publishing
from consumers.console.pages.workspace import routes as workspace
from consumers.console.sending.uploads import FILE_BYTES_MAX
from consumers.console.web import assets
from consumers.console.web.explanations import CHANGED, LISTED, explanation_of
from consumers.console.web.language import DEFAULT, Words
from consumers.console.web.security import (
    CHANGE_PASSWORD,
    HEADERS,
    HSTS,
    LANGUAGE_COOKIE,
    SAFE_METHODS,
    SIGN_IN,
    NotOwnForm,
    is_own_site,
    page_of_form,
    require_own_form,
)
from events.errors import Halt
from events.values.bilingual import LANGUAGES, Bilingual
from infra.http.negotiation import with_head
from infra.http.parameters import only_known_parameters
from infra.http.problems import EXPLANATIONS, RESTORED, Explanation, Problem, RequestCode, language_of
from infra.http.rate_limits import Quota, RateLimit, Refusals, pattern_of
from infra.http.routes import bare_app
from infra.http.security_txt import SECURITY_TXT, security_routes
from infra.postgres.connection import TRANSIENT_ERRORS, RestoredCopy
from infra.settings import Settings
from producers.sdk.problems import GatewayProblem, NotServed, OutcomeUnknown

_GZIP_BYTES_MIN: Final = 500
_GZIP_LEVEL: Final = 5
"""Two thirds of the time of the highest, for two per cent more bytes."""
_ROOMS: Final = (plan, campaigns, workspace, partnerships, what_if, reconciliation, audit, operations, approvals)
"""In the order of the navigation."""
COMPONENTS: Final = "/components"
"""Its forms are samples."""
_OWN_NAMES: Final = frozenset({*what_if.PATHS, publishing.FORM, OIDC_CALLBACK, COMPONENTS})
_KEPT: Final = "public, max-age=31536000, immutable"
_logger = structlog.get_logger(__name__)


def application(parts: ConsoleParts) -> ASGIApp:
    """The application as the process serves it."""
    zipped = GZipMiddleware(pages(parts), minimum_size=_GZIP_BYTES_MIN, compresslevel=_GZIP_LEVEL)
    return with_head(Guard(zipped, parts))


def pages(parts: ConsoleParts) -> FastAPI:
    """The pages, without what runs before them."""
    app = bare_app([Depends(require_own_form), Depends(_only_known_parameters)], _handlers(parts))
    app.state.parts = parts
    tries = Tries(Sealer.of(parts.settings, "browser", parts.clock), time.monotonic)
    app.include_router(signin_router(parts, tries))
    if parts.oidc is not None:
        app.include_router(oidc_router(parts, parts.oidc, tries))
    app.include_router(security_routes(parts.settings, parts.clock))
    for room in _ROOMS:
        app.include_router(room.routes)

    @app.get(COMPONENTS)
    async def components(visit: Visiting) -> Response:
        """Every component of the design system."""
        return visit.page("components.html")

    app.mount("/v1", _below_v1(parts.read_api.app))

    @app.get(LIVE)
    async def live(visit: Visiting) -> Response:
        return StreamingResponse(parts.live.events(), media_type="text/event-stream")

    @app.get(f"{assets.PREFIX}{{name}}")
    async def static(name: str) -> Response:
        asset = assets.by_address().get(f"{assets.PREFIX}{name}")
        if asset is None:
            raise HTTPException(404)
        return Response(asset.body, headers={"Cache-Control": _KEPT}, media_type=asset.media_type)

    return app


async def _only_known_parameters(request: Request) -> None:
    """A name that a page ignored would show another state than was asked for. Pages whose form has names of its own
    compare them; an identity provider adds what it likes. Who may not open the page is refused for that."""
    if request.scope["route"].path not in _OWN_NAMES and not is_refused(request):
        await only_known_parameters(request)


def _below_v1(app: ASGIApp) -> ASGIApp:
    """The read API under its own paths: a mount would take `/v1` from them. A team reads it through its pages only.

    A tag names a state of the log, not what its reader may see of it: by another account's tag nothing is unchanged.
    """

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        state = scope["state"]
        caller = state["caller"] if state["account"].role in OPEN_ENTRIES else None
        headers = [(name, value) for name, value in scope["headers"] if name != b"if-none-match"]
        await app({**scope, "root_path": "", "headers": headers, "state": {**state, "caller": caller}}, receive, send)

    return mounted


def _handlers(parts: ConsoleParts) -> dict[Any, Callable[[Request, Any], Coroutine[Any, Any, Response]]]:
    async def problem(request: Request, error: Problem) -> Response:
        page = _problem_page(request, error.code, error.errors)
        page.headers.update(error.headers)
        return page

    async def not_own_form(request: Request, error: NotOwnForm) -> Response:
        """Usually of an earlier session, where another tab has signed in again: the browser offers to send it."""
        context = page_context(request, request.state.account, unsent=True, form_page=page_of_form(request))
        page: HTMLResponse = parts.templates.page("not-sent.html", request.state.words, context, 403)
        return page

    async def refused(request: Request, error: GatewayProblem) -> Response:
        code: Any = error.problem.code if error.problem.code in EXPLANATIONS else "gateway-fault"
        return _problem_page(request, code, [row.model_dump() for row in error.errors])

    async def http_error(request: Request, error: HTTPException) -> Response:
        return _error_page(request, CODES.get(error.status_code, "malformed-request"))

    async def changed(request: Request, error: Halt) -> Response:
        _logger.error("a page found a changed log or table", reason=str(error))
        index = getattr(error, "index", None)
        return _changed_page(request, None if index is None else str(index))

    async def restored(request: Request, error: RestoredCopy) -> Response:
        return _error_page(request, "database-away", [str(request.state.words.of(RESTORED))])

    async def fault(request: Request, error: Exception) -> Response:
        _logger.error("a page failed", path=request.scope.get("route") and request.scope["route"].path, exc_info=error)
        return _error_page(request, "gateway-fault")

    return {
        Problem: problem,
        NotOwnForm: not_own_form,
        GatewayProblem: refused,
        HTTPException: http_error,
        RequestValidationError: _always("bad-parameter"),
        NotServed: _always("kafka-away"),
        OutcomeUnknown: _always("outcome-unknown"),
        TooManyPages: _always("overloaded"),
        Halt: changed,
        **dict.fromkeys(TRANSIENT_ERRORS, _always("database-away")),
        RestoredCopy: restored,
        Exception: fault,
    }


def _always(code: RequestCode) -> Callable[[Request, Exception], Coroutine[Any, Any, Response]]:
    """Answers an error by the page of this problem."""

    async def answer(request: Request, error: Exception) -> Response:
        return _error_page(request, code)

    return answer


def _problem_page(request: Request, code: RequestCode, errors: Sequence[Mapping[str, Any]]) -> Response:
    """The page of a problem, with the entry that was changed, or with what prevents a change."""
    if (changed_row := changed_row_of(errors)) is not None:
        return _changed_page(request, changed_row.get("id"))
    listed = errors if code in LISTED else ()
    return _error_page(request, code, [_reason(request, row) for row in listed])


def _reason(request: Request, row: Mapping[str, Any]) -> str:
    """What a problem says of one value. A sentence of our own is shown in the reader's language; the gateway's is in it
    already."""
    detail, parameter = row.get("detail", ""), row.get("parameter")
    said = str(request.state.words.of(detail)) if isinstance(detail, Bilingual) else detail
    return said if parameter is None else f"\u2068{parameter}\u2069: {said}"


def _error_page(request: Request, code: RequestCode, reasons: Sequence[str] = ()) -> Response:
    """A page that says what happened and what to do, in the reader's language."""
    return error_page(request, request.app.state.parts, explanation_of(code), code, reasons=reasons)


def _changed_page(request: Request, index: str | None = None) -> Response:
    """`index`: of the changed entry, to which the page leads."""
    return error_page(request, request.app.state.parts, CHANGED, "changed", index=index)


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
