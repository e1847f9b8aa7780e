"""`POST /v1/events` and `POST /v1/events:validate`."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from infra.http.documents import problems
from infra.http.problems import language_of
from infra.verdicts import known_claims
from producers.gateway.documents import EVENTS_REQUEST, RECEIPT, VALIDATION
from producers.gateway.parts import Parts
from producers.gateway.receiving import Sent
from producers.gateway.validating import identify, validation_document

JSON = "application/json"


class _WithoutQuery(Route):
    """A route for requests without any parameter."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.NONE, {}) if scope.get("query_string") else super().matches(scope)


class _Sending:
    """`POST /v1/events` as an application of its own."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await _stored(self._parts, Request(scope, receive, send), partial=False)
        await response(scope, receive, send)


def sending_without_query(parts: Parts) -> Route:
    """`POST /v1/events` where no parameter is given: solving parameters that are not there costs FastAPI as much as the
    door needs for forty events."""
    return _WithoutQuery("/v1/events", _Sending(parts), methods=["POST"], include_in_schema=False)


def router(parts: Parts) -> APIRouter:
    """The routes by which events come in."""
    routes = APIRouter(tags=["events"])

    @routes.post(
        "/v1/events",
        status_code=202,
        summary="Send one event or a batch",
        response_class=Response,
        openapi_extra=EVENTS_REQUEST,
        responses={202: RECEIPT, **problems(400, 401, 403, 408, 413, 415, 422, 429, 503, 504)},
    )
    async def send(
        request: Request,
        partial: Annotated[bool, Query(description="Store the good events of a batch and name the others.")] = False,
    ) -> Response:
        """Stores events durably and answers with a signed receipt.

        202 means that Kafka has acknowledged every event of the receipt (`acks=all`). A batch with a bad event stores
        nothing and lists every fault of every event, unless `partial` is true. 504 means that the outcome is unknown:
        send the same ids and bytes again; what was stored already is dropped as a duplicate.
        """
        return await _stored(parts, request, partial=partial)

    @routes.post(
        "/v1/events:validate",
        summary="Judge events without storing them",
        response_class=Response,
        openapi_extra=EVENTS_REQUEST,
        responses={200: VALIDATION, **problems(400, 401, 403, 408, 413, 415, 422, 429, 503)},
    )
    async def validate(request: Request) -> Response:
        """The verdict that each event would get now; nothing is stored.

        Form and authority are judged as when sending. `duplicates` are those that are in the log already (at `index`),
        or earlier in this request (`first_event`); an id that belongs to another event is the fault `conflict`. What
        was sent and is not registered yet is not looked at.
        """
        caller = await parts.caller(request)
        caller.require("events:write")
        judged = await parts.receiver.judged(Sent(request.scope["headers"], request.stream(), caller.require_agency()))
        async with parts.connection() as connection:
            known = await known_claims(connection, [event.claim for _, event in judged.accepted])
        language = language_of(request.headers.get("accept-language"))
        body = orjson.dumps(validation_document(identify(judged, known), language))
        return Response(body, 200, {"Content-Language": language}, JSON)

    return routes


async def _stored(parts: Parts, request: Request, *, partial: bool) -> Response:
    caller = await parts.caller(request)
    caller.require("events:write")
    language = language_of(request.headers.get("accept-language"))
    sent = Sent(request.scope["headers"], request.stream(), caller.require_agency())
    answer = await parts.receiver.receive(sent, partial=partial, language=language)
    if caller.paused is not None:
        answer["paused"] = caller.paused.document()
    return Response(orjson.dumps(answer), 202, media_type=JSON)
