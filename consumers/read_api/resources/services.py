"""`/v1/services`: the service directory."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from consumers.documents.services import ServiceState
from consumers.projections.consumer import CONSUMER as PROJECTIONS
from consumers.projections.read import ServiceFilter, service, services
from consumers.read_api import documents
from consumers.read_api.access import with_readable_history
from consumers.read_api.cursor import text_after
from consumers.read_api.parameters import After, Id, Limit
from consumers.read_api.reading import Reading
from events.values.fields import CODE_PATTERN

routes = APIRouter(tags=["programme"], default_response_class=Response)

Owner = Annotated[str | None, Query(pattern=CODE_PATTERN, description="Only of this agency.")]
Group = Annotated[int | None, Query(ge=1, le=3, description="Only of this group.")]
State = Annotated[ServiceState | None, Query(description="Only in this state.")]


@routes.get(
    "/v1/services", summary="The service directory", responses=documents.responses(documents.SERVICES, paged=True)
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
    await request.programme_scope()
    chosen = ServiceFilter(agency, group, state and state.value, text_after(after), limit + 1)
    return await request.page(PROJECTIONS, lambda tables: services(tables, chosen), limit, "service_id")


@routes.get(
    "/v1/services/{service_id}",
    summary="A service and its history",
    responses=documents.responses(documents.SERVICE),
)
async def one_service(request: Reading, service_id: Id) -> Response:
    """What happened to it, step by step, each with the index of its entry."""
    scope = await request.programme_scope()
    return await request.one(
        PROJECTIONS, lambda tables: service(tables, service_id), lambda row: with_readable_history(row, scope)
    )
