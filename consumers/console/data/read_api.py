"""The read API inside this process: its own routes, asked as the person who is signed in.

So a page shows what that person's token would show over HTTP, and who may read what is decided in one place. The same
routes answer under `/v1/` for downloads.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from urllib.parse import unquote

import httpx
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from consumers.read_api.beside import CHANGED_ENTRY
from consumers.read_api.reader import Reader, Reads
from consumers.read_api.routes import reads_of, router
from events.errors import Reject
from infra.http.callers import Caller
from infra.http.parameters import only_known_parameters
from infra.http.problems import CONTENT_TYPE, Problem, RequestCode, language_of, problem_document, to_bytes
from infra.http.routes import RouteParts
from infra.json_documents import from_json
from infra.postgres.connection import TRANSIENT_ERRORS

_BASE: Final = "http://console"
_NO_TELEMETRY: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False}
P = ParamSpec("P")
T = TypeVar("T")
Parameters = Mapping[str, str | int | bool | None]


class NotAnswered(Reject):
    """The read API gave a problem document: `code` is that of the problem, `status` that of HTTP."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        super().__init__(str(document.get("title")))
        self.status = status
        self.document = document
        self.code = str(document.get("type", "")).rpartition("/")[2]


def changed_row_of(errors: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The error of a problem that names a changed entry (`id`, where it is known); None if there is none."""
    return next((row for row in errors if row.get("code") == CHANGED_ENTRY), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """A document, and the number of entries of the log from which it is made."""

    document: Any
    log_index: int | None = None
    next: str | None = None
    """The address of the next page of a list."""
    headers: Mapping[str, str] = field(default_factory=dict)


class ReadApi:
    """Asks the routes. `app` also answers requests of browsers, whose caller is in the state of the request."""

    def __init__(self, parts: RouteParts, *further: Callable[[RouteParts, Reads], Any]) -> None:
        self.app = FastAPI(
            docs_url=None,
            redoc_url=None,
            openapi_url=None,
            redirect_slashes=False,
            dependencies=[Depends(only_known_parameters)],
            exception_handlers=_handlers(),
            telemetry=_NO_TELEMETRY,
        )
        self._reads = reads_of(parts)
        self.app.include_router(router(parts, reads=self._reads))
        for make in further:
            self.app.include_router(make(parts, self._reads))

    async def ask(
        self, caller: Caller, function: Callable[Concatenate[Reader, P], Awaitable[T]], *asked: P.args, **more: P.kwargs
    ) -> T:
        """What a function of the read API answers to this caller. Raises `Problem`."""
        return await function(Reader(self._reads, caller), *asked, **more)

    async def get(self, caller: Caller, path: str, parameters: Parameters | None = None) -> Answer:
        """The answer to GET `path` for this caller. Raises `NotAnswered`."""
        response = await self._ask(caller, path, parameters or {})
        body = from_json(response.content or b"null")
        headers = dict(response.headers)
        link = response.links.get("next", {}).get("url")
        index = headers.get("log-index")
        return Answer(body, None if index is None else int(index), link, headers)

    async def _ask(self, caller: Caller, path: str, parameters: Parameters) -> httpx.Response:
        if _has_dot_segment(path):
            raise NotAnswered(404, problem_document(Problem("not-found"), "en"))
        asked = {name: value for name, value in parameters.items() if value is not None}
        request = httpx.Request("GET", f"{_BASE}{path}", params=asked or None, headers={"Accept": "application/json"})
        response = await httpx.ASGITransport(_Asking(self.app, caller)).handle_async_request(request)
        await response.aread()
        if response.status_code >= 400:
            raise NotAnswered(response.status_code, from_json(response.content or b"null"))
        return response


def _has_dot_segment(path: str) -> bool:
    """Whether a part of the path is `.` or `..`: httpx removes those, and asks for what no page has allowed."""
    return not {".", ".."}.isdisjoint(unquote(path.partition("?")[0]).split("/"))


@dataclass(frozen=True, slots=True)
class _Asking:
    """The application, with the caller in the state of each request."""

    app: ASGIApp
    caller: Caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"caller": self.caller}
        await self.app(scope, receive, send)


async def caller_of(request: Request) -> Caller:
    """The caller in the state of a request. Raises `Problem` (403) for an account that reads nothing."""
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None:
        raise Problem("forbidden")
    return caller


def _handlers() -> dict[Any, Callable[[Request, Any], Coroutine[Any, Any, Response]]]:
    async def problem(request: Request, error: Problem) -> Response:
        language = language_of(request.headers.get("accept-language"))
        body = to_bytes(problem_document(error, language))
        return Response(body, error.status, error.headers, CONTENT_TYPE)

    async def away(request: Request, error: Exception) -> Response:
        return await problem(request, Problem("database-away", retry_after_s=1))

    async def bad(request: Request, error: Exception) -> Response:
        return await problem(request, Problem("bad-parameter"))

    async def http_error(request: Request, error: HTTPException) -> Response:
        codes: dict[int, RequestCode] = {404: "no-such-route", 405: "method-not-allowed"}
        return await problem(request, Problem(codes.get(error.status_code, "malformed-request")))

    return {
        Problem: problem,
        RequestValidationError: bad,
        HTTPException: http_error,
        **dict.fromkeys(TRANSIENT_ERRORS, away),
    }
