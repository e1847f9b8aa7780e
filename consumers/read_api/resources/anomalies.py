"""`/v1/anomalies`: accepted events that contradict what is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Response

from consumers.as_of.view import View
from consumers.plan.document import PLAN_CONSUMERS, anomalies_found
from consumers.projections.read import AnomalyFilter
from consumers.read_api import documents
from consumers.read_api.access import narrowed
from consumers.read_api.cursor import INTEGER_MAX, indexes_after
from consumers.read_api.parameters import After, AgencyCode, Limit
from consumers.read_api.reading import Reading, Shown, page
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE

OfEntry = Annotated[int | None, Query(ge=0, le=INTEGER_MAX, description="Only what the entry at this index met.")]

routes = APIRouter(tags=["log"], default_response_class=Response)


@routes.get(
    "/v1/anomalies",
    summary="What was accepted and does not fit what is known",
    responses=documents.responses(documents.ANOMALIES, paged=True),
)
async def anomalies(
    request: Reading, agency: AgencyCode = None, index: OfEntry = None, limit: Limit = 100, after: After = None
) -> Response:
    """In the order in which they were found. They changed nothing."""
    scope = narrowed(await request.scope(), agency)
    chosen = AnomalyFilter(scope.agency, after=indexes_after(after), index=index, rows_max=limit + 1)

    async def shown(view: View) -> Shown:
        asked = chosen
        if scope.partners is not None:
            subjects = await read.subjects(await view.use(REVENUE), scope)
            asked = replace(chosen, subjects=subjects, without_rules=read.STRANGERS_RULES)
        rows = await anomalies_found(view, asked)
        return Shown(*page(rows, limit, "found_index", "index"))

    return await request.answer(PLAN_CONSUMERS, shown)
