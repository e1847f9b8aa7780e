"""`/v1/services`: the service directory."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Response

from consumers.api import documents
from consumers.api.access import programme_scope, with_readable_history
from consumers.api.cursor import text_after
from consumers.api.parameters import After, Id, Limit
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import Reading, found, read_route
from consumers.documents.programme.services import Service, ServiceAndHistory, ServiceState
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.programme.projections.read import ServiceFilter, service, services
from consumers.replay.as_of.view import View
from events.values.fields import CODE_PATTERN

routes = APIRouter(tags=["programme"], default_response_class=Response)

Owner = Annotated[str | None, Query(pattern=CODE_PATTERN, description="Only of this agency.")]
Group = Annotated[int | None, Query(ge=1, le=3, description="Only of this group.")]
State = Annotated[ServiceState | None, Query(description="Only in this state.")]


@routes.get(
    "/v1/services",
    summary="The service directory",
    responses=documents.answers("Services by id.", list[Service], paged=True),
)
async def list_services(
    request: Reading,
    agency: Owner = None,
    group: Group = None,
    state: State = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """Every registered service and its state."""
    chosen = ServiceFilter(agency, group, state and state.value)
    return await request.respond(lambda reader: services_for(reader, chosen, limit, after))


async def services_for(
    reader: Reader, chosen: ServiceFilter, limit: int, after: str | None = None
) -> ReadAnswer[list[Service]]:
    """A page of the directory. Raises `Problem` (403, 422, 503)."""
    programme_scope(reader.caller)
    chosen = replace(chosen, after=text_after(after), rows_max=limit + 1)
    return await reader.page(PROJECTIONS, lambda tables: services(tables, chosen), limit, lambda row: (row.service_id,))


@read_route(routes, "/v1/services/{service_id}", "one_service", "A service and its history")
async def service_for(reader: Reader, service_id: Id) -> ReadAnswer[ServiceAndHistory]:
    """What happened to it, step by step, each with the index of its entry."""
    scope = programme_scope(reader.caller)

    async def question(view: View) -> ServiceAndHistory:
        return with_readable_history(found(await service(await view.use(PROJECTIONS), service_id)), scope)

    return await reader.read([PROJECTIONS], question)
