"""`/v1/pace`: the plan against the calendar."""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.api.access import programme_scope
from consumers.api.parameters import AsOfIndex, AsOfRecorded
from consumers.api.past import past_state
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import read_route
from consumers.documents.programme.plan import Pace
from consumers.programme.plan.pace import pace
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.replay.as_of.view import live_view
from infra.http.problems import Problem

routes = APIRouter(tags=["programme"], default_response_class=Response)


@read_route(routes, "/v1/pace", "plan_and_calendar", "The plan against the calendar", "The plan against the calendar.")
async def pace_for(
    reader: Reader, as_of_index: AsOfIndex = None, as_of_recorded: AsOfRecorded = None
) -> ReadAnswer[Pace]:
    """Where the calendar is in the plan, and what each agency has done beside what it would have done at an even
    pace: now, after a number of entries of the log, or as the log was at a given time."""
    programme_scope(reader.caller)
    if as_of_index is None and as_of_recorded is None:
        return await reader.read([PROJECTIONS], lambda view: pace(view, view.log_index))
    past = await past_state(reader, as_of_index, as_of_recorded)
    async with reader.reads.connection() as connection, live_view(connection, [PROJECTIONS]) as view:
        if past.positions[0] > view.log_index:  # the log has these entries, the read model not yet
            raise Problem("database-away", retry_after_s=1)
        return ReadAnswer(await pace(view, past.positions[0]), past)
