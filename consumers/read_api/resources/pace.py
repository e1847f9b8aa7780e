"""`/v1/pace`: the plan against the calendar."""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.as_of.view import View, live_view
from consumers.plan.pace import pace
from consumers.projections.consumer import CONSUMER as PROJECTIONS
from consumers.read_api import documents
from consumers.read_api.parameters import AsOfIndex, AsOfRecorded
from consumers.read_api.past import past_of
from consumers.read_api.reading import JSON, Reading, Shown
from infra.http.problems import Problem
from infra.json_documents import to_json

routes = APIRouter(tags=["programme"], default_response_class=Response)


@routes.get("/v1/pace", summary="The plan against the calendar", responses=documents.responses(documents.PACE))
async def plan_and_calendar(
    request: Reading, as_of_index: AsOfIndex = None, as_of_recorded: AsOfRecorded = None
) -> Response:
    """Where the calendar is in the plan, and what each agency has done beside what it would have done at an even
    pace: now, after a number of entries of the log, or as the log was at a given time."""
    await request.programme_scope()
    if as_of_index is None and as_of_recorded is None:

        async def shown(view: View) -> Shown:
            return Shown(await pace(view, view.log_index))

        return await request.answer([PROJECTIONS], shown)
    past = await past_of(request.parts, as_of_index, as_of_recorded)
    if past.is_known_to(request.http):
        return Response(None, 304, past.headers())
    async with request.parts.connection() as connection, live_view(connection, [PROJECTIONS]) as view:
        if past.index > view.log_index:  # the log has these entries, the read model not yet
            raise Problem("database-away", retry_after_s=1)
        document = await pace(view, past.index)
    return Response(to_json(document), 200, past.headers(), JSON)
