"""`GET /v1/account`: whose token this is, what it may do and send, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from msgspec import UNSET, Meta, Struct, UnsetType

from events.types.catalogue import CATALOGUE, may_send
from events.values.bilingual import Bilingual
from events.wire.envelope import EVENT_BYTES_MAX, full_type
from infra.http.callers import Kind, Scope
from infra.http.documents import answer, problems, schema_of
from infra.json_documents import to_json
from infra.kafka.client_config import agency_topic
from infra.log.refusals.read import agency_names
from producers.gateway.routes.parts import PartsDep

Count = Annotated[int, Meta(ge=1)]


class Limits(Struct, kw_only=True):
    """What this gateway takes of one token, of one request and of one event."""

    requests_per_s: Annotated[float, Meta(gt=0)]
    requests_burst: Count
    batch_events_max: Count
    body_bytes_max: Count
    event_bytes_max: Count


class Account(Struct, kw_only=True):
    """The holder of a token. A token that may not send has no `topic` and no `types`."""

    kind: Kind
    holder: Annotated[str, Meta(description="The agency's code, or the name of a partner or an auditor.")]
    key_id: Annotated[str, Meta(description="The token's public part, as `yesser tokens list` shows it.")]
    scopes: list[Scope]
    suspended: bool
    limits: Limits
    name: Bilingual | UnsetType = UNSET
    partners: list[str] | UnsetType = UNSET
    expires_at: Annotated[datetime, Meta(tz=True)] | UnsetType = UNSET
    topic: str | UnsetType = UNSET
    types: Annotated[list[str], Meta(description="The types of events that it may send.")] | UnsetType = UNSET


_ACCOUNT: Final = answer("The holder of the token, its rights and its limits.", schema_of(Account))
routes = APIRouter(tags=["token"])


@routes.get(
    "/v1/account",
    summary="Whose token this is",
    response_class=Response,
    responses={200: _ACCOUNT, **problems(400, 401, 403, 429, 503)},
)
async def account(parts: PartsDep, request: Request) -> Response:
    """Any valid token is answered, whatever its scopes, also that of a suspended agency."""
    caller, settings = await parts.access.caller(request), parts.settings
    document = Account(
        kind=caller.kind,
        holder=caller.holder,
        key_id=caller.name,
        scopes=sorted(caller.scopes),
        suspended=caller.is_suspended,
        limits=Limits(
            requests_per_s=settings.gateway_requests_per_s,
            requests_burst=settings.gateway_requests_burst,
            batch_events_max=settings.gateway_batch_events_max,
            body_bytes_max=settings.gateway_body_bytes_max,
            event_bytes_max=EVENT_BYTES_MAX,
        ),
        partners=[*caller.partners] or UNSET,
        expires_at=caller.expires_at or UNSET,
    )
    if caller.agency is not None:
        async with parts.connection() as connection:
            document.name = (await agency_names(connection, [caller.holder]))[caller.holder]
        if "events:write" in caller.scopes:
            role = caller.agency.role
            document.topic = agency_topic(caller.holder)
            document.types = [full_type(name) for name, row in CATALOGUE.items() if may_send(role, row)]
    return Response(to_json(document), media_type="application/json")
