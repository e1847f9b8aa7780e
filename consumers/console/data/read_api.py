"""The read API inside this process, asked as the person who is signed in.

A page calls the functions that the routes of the API call, so it shows what that person's token would show over HTTP,
and who may read what is decided in one place. The routes answer under `/v1/` for downloads.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from consumers.api.reader import Reads
from consumers.api.routes import reads_of, router
from events.errors import Tampered
from infra.http.callers import Caller
from infra.http.parameters import only_known_parameters
from infra.http.problems import (
    CHANGED_ENTRY,
    CONTENT_TYPE,
    Problem,
    RequestCode,
    changed_entry,
    language_of,
    problem_document,
    to_bytes,
)
from infra.http.routes import RouteParts, bare_app, database_away
from infra.postgres.connection import TRANSIENT_ERRORS

CODES: Final[dict[int, RequestCode]] = {
    404: "no-such-route",
    405: "method-not-allowed",
    413: "request-too-large",
}
"""Status that the framework answers → its problem; another one is `malformed-request`."""


def changed_row_of(errors: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The error of a problem that names a changed entry (`id`, where it is known); None if there is none."""
    return next((row for row in errors if row.get("code") == CHANGED_ENTRY), None)


class ReadApi:
    """`app` answers requests of browsers, whose caller is in the state of the request; `reads` is for pages."""

    def __init__(self, parts: RouteParts, *further: Callable[[RouteParts, Reads], Any]) -> None:
        self.app = bare_app([Depends(only_known_parameters)], _handlers(parts.settings.gateway_address))
        self.reads = reads_of(parts)
        self.app.include_router(router(parts, self.reads))
        for make in further:
            self.app.include_router(make(parts, self.reads))


async def caller_of(request: Request) -> Caller:
    """The caller in the state of a request. Raises `Problem` (403) for an account that reads nothing."""
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None:
        raise Problem("forbidden")
    return caller


def _handlers(address: str) -> dict[Any, Callable[[Request, Any], Coroutine[Any, Any, Response]]]:
    def answered(problem_of: Callable[[Any], Problem]) -> Callable[[Request, Any], Coroutine[Any, Any, Response]]:
        async def answer(request: Request, error: Exception) -> Response:
            problem, language = problem_of(error), language_of(request.headers.get("accept-language"))
            body = to_bytes(problem_document(problem, language, address))
            return Response(body, problem.status, problem.headers, CONTENT_TYPE)

        return answer

    return {
        Problem: answered(lambda error: error),
        RequestValidationError: answered(lambda _: Problem("bad-parameter")),
        HTTPException: answered(lambda error: Problem(CODES.get(error.status_code, "malformed-request"))),
        Tampered: answered(lambda error: changed_entry(getattr(error, "index", None))),
        **dict.fromkeys(TRANSIENT_ERRORS, answered(database_away)),
    }
