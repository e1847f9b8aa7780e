"""`POST /v1/events` and `POST /v1/events:validate`."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from infra.http.documents import problems
from infra.http.problems import Language, language_of
from producers.gateway.documents import EVENTS_REQUEST, RECEIPT, VALIDATION
from producers.gateway.http_mode import mode_of
from producers.gateway.parts import Parts
from producers.gateway.problems import listed_faults
from producers.gateway.receiving import Judged

JSON = "application/json"


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
        caller = await parts.caller(request)
        caller.require("events:write")
        language = language_of(request.headers.get("accept-language"))
        answer = await parts.receiver.receive(
            request.scope["headers"], request.stream(), caller.require_agency(), partial=partial, language=language
        )
        if caller.paused is not None:
            answer["paused"] = caller.paused.document()
        return Response(orjson.dumps(answer), 202, media_type=JSON)

    @routes.post(
        "/v1/events:validate",
        summary="Judge events without storing them",
        response_class=Response,
        openapi_extra=EVENTS_REQUEST,
        responses={200: VALIDATION, **problems(400, 401, 403, 408, 413, 415, 422, 429, 503)},
    )
    async def validate(request: Request) -> Response:
        """The door's verdict on form and authority, the same as when sending; nothing is stored.

        Whether an id was used before is not looked at: the registrar says so, in log order.
        """
        caller = await parts.caller(request)
        caller.require("events:write")
        mode_of(request.scope["headers"])
        judged = await parts.receiver.judged(request.scope["headers"], request.stream(), caller.require_agency())
        language = language_of(request.headers.get("accept-language"))
        body = orjson.dumps(validation_document(judged, language))
        return Response(body, 200, {"Content-Language": language}, JSON)

    return routes


def validation_document(judged: Judged, language: Language) -> dict[str, Any]:
    """What validating prints: whether all is good, each good event, and every fault."""
    errors, count = listed_faults(judged.refused, judged.batched, language)
    document: dict[str, Any] = {
        "valid": not judged.refused,
        "accepted": [{"event": place, "id": event.id, "type": event.type} for place, event in judged.accepted],
        "errors": errors,
    }
    if count > len(errors):
        document["unlisted"] = count - len(errors)
    return document
