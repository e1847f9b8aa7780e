"""The gateway's HTTP application: routes, who may use them, and the answer to every error.

The process builds its parts (`producers.gateway.process`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from events.errors import Tampered
from events.faults.nearest import nearest
from events.validation.forms import forms_by_type
from events.values.bilingual import Bilingual
from infra.clock import utc_now
from infra.http.callers import Caller
from infra.http.negotiation import with_head
from infra.http.parameters import invalid_values, only_known_parameters
from infra.http.problems import (
    CONTENT_TYPE,
    Problem,
    RequestCode,
    asked_address,
    changed_entry,
    language_of,
    problem_document,
    to_bytes,
)
from infra.http.rate_limits import pattern_of
from infra.http.routes import bare_app, database_away, further_routers, is_log_file, needs_token
from infra.http.security_txt import security_routes
from infra.json_documents import to_json
from infra.observability.telemetry import count
from infra.postgres.connection import TRANSIENT_ERRORS
from producers.docs_pages.pages import VERSION
from producers.docs_pages.site import Site
from producers.gateway.access.callers import host_of
from producers.gateway.routes import account, lookups, pages, publish
from producers.gateway.routes.pages import openapi_document
from producers.gateway.routes.parts import GatewayParts
from producers.gateway.validating import Refusal, refusal_document

_CODES: dict[int, RequestCode] = {404: "no-such-route", 405: "method-not-allowed"}
_logger = structlog.get_logger(__name__)

Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]
"""Makes an error's answer."""


def application(parts: GatewayParts) -> FastAPI:
    """The application."""
    app = bare_app([Depends(only_known_parameters)], _handlers())
    app.title, app.version = "Yesser Events gateway", VERSION
    app.state.parts = parts
    app.state.site = Site(lambda: openapi_document(app))
    app.include_router(publish.routes)
    app.include_router(account.routes)
    app.include_router(lookups.routes)
    for further in further_routers(parts.for_reading()):
        app.include_router(further)
    app.include_router(pages.routes)
    app.include_router(security_routes(parts.settings, utc_now))
    return app


def served(parts: GatewayParts) -> ASGIApp:
    """The application as the gateway serves it. Limits come first: who may not send is answered before any work.

    Events that come without a parameter and answers that are kept pass by FastAPI, whose layers cost as much as
    validating forty events. Nothing is raised to the server, whose own answers are no problem documents.
    """
    rest = application(parts)
    # Made now: each takes up to a tenth of a second of processor time, which the first request would wait for.
    rest.state.site.page(pages.OPENAPI)
    forms_by_type()
    handlers = _handlers()

    async def answered(request: Request) -> Response | None:
        """The answer, or None for a request that is FastAPI's."""
        try:
            path = request.scope["path"]
            if not needs_token(path):
                parts.access.admit(host_of(request), of_log=is_log_file(path))
                return parts.answers.get(path) if _is_plain_get(request.scope) else None
            await parts.access.caller(request)
            if _brings_events(request.scope) and not request.scope["query_string"]:
                return await publish.stored(parts, request, partial=False)
        except Exception as error:
            handler = next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)
            if handler is _fault:
                _log_failure(request.scope, error)
            return await handler(request, error)
        return None

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        request.state.public_address = parts.settings.public_address

        async def recorded(message: Message) -> None:
            """A refusal is in the trail before it is answered, and before its sender does anything else."""
            sender: Caller | None = getattr(request.state, "sender", None)
            if message["type"] == "http.response.start" and message["status"] == 403 and sender is not None:
                pattern = publish.EVENTS if _brings_events(scope) else pattern_of(scope)
                await parts.access.add_refused_to_trail(sender, scope["method"], pattern)
            await send(message)

        try:
            await (await answered(request) or rest)(scope, receive, recorded)
        except asyncio.CancelledError:  # by the server, at the end of its stop
            code: RequestCode = "outcome-unknown" if _brings_events(scope) else "overloaded"
            with suppress(RuntimeError):  # its answer has begun
                await _answer(request, Problem(code, retry_after_s=1))(scope, receive, send)
        except Exception as error:  # Starlette raises it again after `_fault` has answered
            _log_failure(scope, error)

    return with_head(app)


def _is_plain_get(scope: Scope) -> bool:
    return bool(scope["method"] == "GET" and not scope["query_string"])


def _brings_events(scope: Scope) -> bool:
    return bool(scope["path"] == publish.EVENTS and scope["method"] == "POST")


def _handlers() -> dict[Any, Handler]:
    """The answer to each error."""
    return {
        Problem: _problem,
        Refusal: _refusal,
        HTTPException: _http_error,
        RequestValidationError: _bad_parameter,
        **dict.fromkeys(TRANSIENT_ERRORS, _database_away),
        Tampered: _changed,
        ClientDisconnect: _gone,
        Exception: _fault,
    }


async def _gone(request: Request, error: Exception) -> Response:
    """The client disconnected before its request was complete. Nothing was stored."""
    return _answer(request, Problem("malformed-request"))


async def _changed(request: Request, error: Exception) -> Response:
    """What is read differs from what was registered."""
    _logger.error("a request found a changed log", reason=str(error))
    return _answer(request, changed_entry(getattr(error, "index", None)))


async def _fault(request: Request, error: Exception) -> Response:
    return _answer(request, Problem("gateway-fault"))


def _log_failure(scope: Scope, error: Exception) -> None:
    _logger.error("a request failed", route=scope["path"], exc_info=error)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return _answer(request, error)


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    language = language_of(request.headers.get("accept-language"))
    count("gateway_problems", code=error.found[0].faults[0].code)
    body = to_json(refusal_document(error, language, _address(request)))
    return Response(body, error.status, {"Content-Language": language}, CONTENT_TYPE)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "malformed-request")
    headers = dict(error.headers or {})
    errors: list[dict[str, Any]] = []
    if code == "no-such-route" and (meant := _meant(request)):
        detail = Bilingual("هل تقصد {}؟", "Did you mean {}?").format(meant)
        errors = [{"code": code, "detail": detail}]
    if code == "method-not-allowed" and (methods := _methods(request)):
        headers["Allow"] = ", ".join(methods)
    return _answer(request, Problem(code, headers=headers, errors=errors))


def _meant(request: Request) -> str | None:
    """The path of a route that this one is most like, its parameters being as they are here. Public paths have none."""
    path = request.url.path
    parts = path.split("/")
    if not needs_token(path):
        return None
    routes = [
        route.split("/") for route in openapi_document(request.app)["paths"] if route.count("/") + 1 == len(parts)
    ]
    known = ["/".join(p if r.startswith("{") else r for p, r in zip(parts, route, strict=True)) for route in routes]
    return nearest(path, known)


def _methods(request: Request) -> list[str]:
    """The methods of the path. The framework names only those of the first route that has it."""
    paths = openapi_document(request.app)["paths"]
    found = {method for path, item in paths.items() if compile_path(path)[0].match(request.url.path) for method in item}
    return sorted({*map(str.upper, found), *(["HEAD"] if "get" in found else [])})


async def _bad_parameter(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _answer(request, Problem("bad-parameter", errors=invalid_values(error.errors())))


async def _database_away(request: Request, error: Exception) -> Response:
    _logger.warning("the database did not answer", error_class=type(error).__name__)
    return _answer(request, database_away(error))


def _answer(request: Request, problem: Problem) -> Response:
    language = language_of(request.headers.get("accept-language"))
    count("gateway_problems", code=problem.code)
    headers = {**problem.headers, "Content-Language": language}
    body = to_bytes(problem_document(problem, language, _address(request)))
    return Response(body, problem.status, headers, CONTENT_TYPE)


def _address(request: Request) -> str:
    scope, public = request.scope, getattr(request.state, "public_address", None)
    return asked_address(public, scope["scheme"], scope["headers"], scope.get("server"))
