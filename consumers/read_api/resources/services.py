"""`/v1/services`: the service directory."""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.projections.consumer import CONSUMER as PROJECTIONS
from consumers.projections.read import service, services
from consumers.read_api import documents
from consumers.read_api.access import with_readable_history
from consumers.read_api.cursor import text_after
from consumers.read_api.parameters import After, Id, Limit
from consumers.read_api.reading import Reading

routes = APIRouter(tags=["programme"], default_response_class=Response)


@routes.get(
    "/v1/services", summary="The service directory", responses=documents.responses(documents.SERVICES, paged=True)
)
async def list_services(request: Reading, limit: Limit = 100, after: After = None) -> Response:
    """Every registered service and its state."""
    await request.programme_scope()
    return await request.page(
        PROJECTIONS, lambda tables: services(tables, text_after(after), limit + 1), limit, "service_id"
    )


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
