"""The console's application: pages, downloads, news for open pages, static files, and a page for every error."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

import structlog
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from consumers.console.accounts.tries import Sealer, Tries
from consumers.console.data.live import TooManyPages
from consumers.console.data.read_api import CODES, bare_app, changed_row_of
from consumers.console.guard import LIVE, Guard, error_page
from consumers.console.page_request import OPEN_ENTRIES, Visiting, is_refused, page_context
from consumers.console.pages import approvals
from consumers.console.pages.audit import routes as audit
from consumers.console.pages.campaigns import routes as campaigns
from consumers.console.pages.operations import routes as operations
from consumers.console.pages.partnerships import routes as partnerships
from consumers.console.pages.partnerships import what_if
from consumers.console.pages.plan import routes as plan
from consumers.console.pages.signin import CALLBACK as OIDC_CALLBACK
from consumers.console.pages.signin import oidc_router, signin_router
from consumers.console.pages.workspace import publishing
from consumers.console.pages.workspace import routes as workspace
from consumers.console.parts import ConsoleParts
from consumers.console.web import assets
from consumers.console.web.explanations import CHANGED, LISTED, explanation_of
from consumers.console.web.security import NotOwnForm, page_of_form, require_own_form
from events.errors import Halt
from events.values.bilingual import Bilingual
from infra.http.negotiation import with_head
from infra.http.parameters import only_known_parameters
from infra.http.problems import EXPLANATIONS, Problem, RequestCode
from infra.http.security_txt import security_routes
from infra.postgres.connection import TRANSIENT_ERRORS
from producers.sdk.problems import GatewayProblem, NotServed, OutcomeUnknown

_GZIP_BYTES_MIN: Final = 500
_GZIP_LEVEL: Final = 5
"""Two thirds of the time of the highest, for two per cent more bytes."""
_ROOMS: Final = (plan, campaigns, workspace, partnerships, audit, operations, approvals)
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
