"""`/v1/activity`: how much each agency sent."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from consumers.api.access import narrowed, programme_scope
from consumers.api.cursor import text_after
from consumers.api.parameters import After, AgencyCode, Limit
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import read_route
from consumers.documents.programme.activity import Activity
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.programme.projections.read import activity

routes = APIRouter(tags=["log"], default_response_class=Response)


_ANSWER: Final = "What was accepted, by full type, and refused, by agency."


@read_route(routes, "/v1/activity", "agencies_activity", "What each agency sent", _ANSWER)
async def activity_for(
    reader: Reader, agency: AgencyCode = None, limit: Limit = 100, after: After = None
) -> ReadAnswer[list[Activity]]:
    """Numbers of accepted events by type and of refused records, with the first and last index of each."""
    scope, key = narrowed(programme_scope(reader.caller), agency), text_after(after)
    return await reader.page(
        PROJECTIONS, lambda tables: activity(tables, scope.agency, key, limit + 1), limit, lambda row: (row.agency,)
    )
