"""`POST /v1/events` and `POST /v1/events:validate`."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from msgspec import UNSET

from infra.http.documents import problems
from infra.http.problems import language_of
from infra.json_documents import to_json
from infra.postgres.verdicts import known_claims
from producers.gateway.duplicates import duplicate_rows, validation_document
from producers.gateway.receiving import Sent
from producers.gateway.routes.documents import EVENTS_REQUEST, RECEIPT, VALIDATION
from producers.gateway.routes.parts import GatewayParts, PartsDep

JSON: Final = "application/json"
EVENTS: Final = "/v1/events"


routes = APIRouter(tags=["events"])


@routes.post(
    EVENTS,
    status_code=202,
    summary="Send one event or a batch",
    response_class=Response,
    openapi_extra=EVENTS_REQUEST,
    responses={202: RECEIPT, **problems(400, 401, 403, 408, 413, 415, 422, 429, 503, 504)},
)
async def send(
    parts: PartsDep,
    request: Request,
    partial: Annotated[bool, Query(description="Store the valid events of a batch and list the others.")] = False,
) -> Response:
    """Stores events durably and answers with a signed receipt.

    202 means that Kafka has acknowledged every event of the receipt (`acks=all`). A batch with a bad event stores
    nothing and lists every fault of every event, unless `partial` is true. 504 means that the outcome is unknown:
    send the same ids and bytes again; what was stored already is dropped as a duplicate. Events of the receipt that
    repeat recent ones are listed in `duplicates`, those whose `time` is days ahead in `ahead`. `halted` and `paused`
    say why verdicts will take longer.
    """
    return await stored(parts, request, partial=partial)


@routes.post(
    "/v1/events:validate",
    summary="Validate events without storing them",
    response_class=Response,
    openapi_extra=EVENTS_REQUEST,
    responses={200: VALIDATION, **problems(400, 401, 403, 408, 413, 415, 429, 503)},
)
async def validate(parts: PartsDep, request: Request) -> Response:
    """The verdict that each event would get now; nothing is stored.

    Form and authority are validated as when sending. `duplicates` are those that are in the log already (at `index`),
    or earlier in this request (`first_event`); an id that belongs to another event is the fault `conflict`. What
    is sent and not registered yet is not considered.
    """
    caller = await parts.access.caller(request)
    caller.require("events:write")
    validated = await parts.receiver.validate(Sent.of(request, caller.require_agency()))
    async with parts.connection() as connection:
        known = await known_claims(connection, [event.claim for _, event in validated.accepted])
    language = language_of(request.headers.get("accept-language"))
    body = to_json(validation_document(validated, known, language))
    return Response(body, 200, {"Content-Language": language}, JSON)


async def stored(parts: GatewayParts, request: Request, *, partial: bool) -> Response:
    """The answer to `POST /v1/events`. Raises `Problem` or `Refusal`."""
    caller = await parts.access.caller(request)
    caller.require("events:write")
    agency = caller.require_agency()
    sent = Sent.of(request, agency)
    answer, repeats = await parts.receiver.receive(sent, partial=partial)
    if repeats:
        answer.duplicates = await duplicate_rows(parts.connection, agency, repeats) or UNSET
    if caller.halted is not None:
        answer.halted = caller.halted
    if caller.paused is not None:
        answer.paused = caller.paused.document()
    headers = None if answer.refused is UNSET else {"Content-Language": sent.language}
    return Response(to_json(answer), 202, headers, JSON)
