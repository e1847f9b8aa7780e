"""`/v1/activity`: how much each agency sent."""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.api import documents
from consumers.api.access import narrowed, programme_scope
from consumers.api.cursor import text_after
from consumers.api.parameters import After, AgencyCode, Limit
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import Reading
from consumers.documents.programme.activity import Activity
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.programme.projections.read import activity

routes = APIRouter(tags=["log"], default_response_class=Response)


@routes.get(
    "/v1/activity",
    summary="What each agency sent",
    responses=documents.answers("What was accepted, by full type, and refused, by agency.", list[Activity], paged=True),
)
async def agencies_activity(
    request: Reading, agency: AgencyCode = None, limit: Limit = 100, after: After = None
) -> Response:
    """Numbers of accepted events by type and of refused records, with the first and last index of each."""
    return await request.respond(lambda reader: activity_for(reader, agency, limit, after))


async def activity_for(
    reader: Reader, agency: str | None, limit: int, after: str | None = None
) -> ReadAnswer[list[Activity]]:
    """A page of agencies, or one of them. Raises `Problem` (403, 422, 503)."""
    scope, key = narrowed(programme_scope(reader.caller), agency), text_after(after)
    return await reader.page(
        PROJECTIONS, lambda tables: activity(tables, scope.agency, key, limit + 1), limit, lambda row: (row.agency,)
    )
