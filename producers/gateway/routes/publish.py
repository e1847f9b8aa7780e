"""`POST /v1/events` and `POST /v1/events:validate`.

An answer says which events repeat one of the log, or one that this gateway stored recently. The full verdict on a
validation request is made here: form and authority, then identity by the log. Events that are
stored but not yet registered have no verdict and are not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from msgspec import UNSET

from events.faults.problems import CONFLICT, conflict_with
from events.validation.validate import validate as verdict_on
from events.validation.verdicts import Accepted, Agency
from events.values.bilingual import Language
from events.wire.codec import STRUCTURED_HEADERS
from infra.http.documents import problems
from infra.http.problems import Problem, language_of
from infra.json_documents import to_json
from infra.kafka.client_config import agency_topic
from infra.log.proofs import PROOF_PREFIX
from infra.postgres.connection import TRANSIENT_ERRORS, Connection
from infra.postgres.verdicts import KnownEvents, known_events
from producers.gateway.answers import (
    EVENTS_REQUEST,
    RECEIPT,
    VALIDATION,
    AcceptedRow,
    DuplicateRow,
    Validation,
    halted_of,
)
from producers.gateway.receiving import Sent
from producers.gateway.recent import Repeat
from producers.gateway.routes.parts import GatewayParts, PartsDep
from producers.gateway.validating import EventFaults, Verdicts, listed_faults

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
        known = await known_events(connection, [event.claim for _, event in validated.accepted])
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
    answer.halted = halted_of(caller.halted)
    if caller.paused is not None:
        answer.paused = caller.paused.document()
    headers = None if answer.refused is UNSET else {"Content-Language": sent.language}
    return Response(to_json(answer), 202, headers, JSON)


async def duplicate_rows(
    connected: Callable[[], AbstractAsyncContextManager[Connection]], agency: Agency, repeats: Sequence[Repeat]
) -> list[DuplicateRow]:
    """The rows of `duplicates`. Where the database is away they lack the index; the receipt does not wait for it."""
    judged = [(repeat, verdict_on(repeat.value, STRUCTURED_HEADERS, agency)) for repeat in repeats]
    accepted = [(repeat, event) for repeat, event in judged if isinstance(event, Accepted)]
    try:
        async with connected() as connection:
            known = await known_events(connection, [event.claim for _, event in accepted])
    except (Problem, *TRANSIENT_ERRORS):
        known = KnownEvents()
    rows = (_row(repeat, event, agency, known) for repeat, event in accepted)
    return [row for row in rows if row is not None]


def _row(repeat: Repeat, event: Accepted, agency: Agency, known: KnownEvents) -> DuplicateRow | None:
    """None for what is no duplicate: its id belongs to another event, or it cannot be known yet."""
    address = f"{agency_topic(agency.code)}/0/{repeat.earlier_offset}"
    row = DuplicateRow(event=repeat.place, id=repeat.id, address=address)
    index = known.index_of(event)
    if index is None:
        return row if repeat.is_same else None
    row.index, row.proof = index, f"{PROOF_PREFIX}{index}"
    return row if known.repeats(event) else None


def validation_document(verdicts: Verdicts[Accepted], known: KnownEvents, language: Language) -> Validation:
    """The answer: each event without faults has the verdict that the registrar would give it now, in order."""
    accepted: list[AcceptedRow] = []
    duplicates: list[DuplicateRow] = []
    refused = list(verdicts.refused)
    first_here: dict[bytes, tuple[bytes, int]] = {}
    for place, event in verdicts.accepted:
        index, first = known.index_of(event), first_here.get(event.claim)
        if index is not None and known.repeats(event):
            duplicates.append(DuplicateRow(event=place, id=event.id, index=index, proof=f"{PROOF_PREFIX}{index}"))
        elif index is not None:
            refused.append(EventFaults(place, (conflict_with(index),), event.id))
        elif first is None:
            first_here[event.claim] = (event.identity, place)
            accepted.append(AcceptedRow(place, event.id, event.type))
        elif first[0] != event.identity:
            refused.append(EventFaults(place, (CONFLICT,), event.id))
        else:
            duplicates.append(DuplicateRow(event=place, id=event.id, first_event=first[1]))
    refused.sort(key=lambda found: found.place)
    errors, unlisted = listed_faults(refused, verdicts.batched, language)
    return Validation(valid=not refused, accepted=accepted, duplicates=duplicates, errors=errors, unlisted=unlisted)
