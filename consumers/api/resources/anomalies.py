"""`/v1/anomalies`: accepted events that contradict what is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from consumers.api.access import narrowed, scope_of
from consumers.api.cursor import INTEGER_MAX, indexes_after
from consumers.api.parameters import After, AgencyCode, Limit
from consumers.api.reader import ReadAnswer, Reader, paged
from consumers.api.reading import read_route
from consumers.documents.log.anomalies import Anomaly
from consumers.programme.plan.document import PLAN_CONSUMERS, anomalies_found
from consumers.programme.projections.read import AnomalyFilter
from consumers.replay.as_of.view import View
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE

OfEntry = Annotated[int | None, Query(ge=0, le=INTEGER_MAX, description="Only what the entry at this index met.")]

routes = APIRouter(tags=["log"], default_response_class=Response)


_SUMMARY: Final = "What was accepted and does not fit what is known"


@read_route(routes, "/v1/anomalies", "anomalies", _SUMMARY, "The shape of `yesser anomalies --json`.")
async def anomalies_for(
    reader: Reader, agency: AgencyCode = None, index: OfEntry = None, limit: Limit = 100, after: After = None
) -> ReadAnswer[list[Anomaly]]:
    """In the order in which they were found. They changed nothing."""
    scope = narrowed(scope_of(reader.caller), agency)
    chosen = AnomalyFilter(scope.agency, after=indexes_after(after), index=index, rows_max=limit + 1)

    async def question(view: View) -> list[Anomaly]:
        asked = chosen
        if scope.partners is not None:
            subjects = await read.subjects(await view.use(REVENUE), scope)
            asked = replace(chosen, subjects=subjects, without_rules=read.STRANGERS_RULES)
        return await anomalies_found(view, asked)

    found = await reader.read(PLAN_CONSUMERS, question)
    return paged(found, limit, lambda row: (row.found_index, row.index))
