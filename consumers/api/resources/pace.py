"""`/v1/pace`: the plan against the calendar."""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.api import documents
from consumers.api.access import programme_scope
from consumers.api.parameters import AsOfIndex, AsOfOccurred, AsOfRecorded
from consumers.api.past import occurred_for, past_state
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import Reading
from consumers.documents.programme.plan import Pace
from consumers.programme.plan.pace import pace
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.replay.as_of.view import live_view
from infra.http.problems import Problem

routes = APIRouter(tags=["programme"], default_response_class=Response)


@routes.get(
    "/v1/pace",
    summary="The plan against the calendar",
    responses=documents.answers("The plan against the calendar.", Pace),
)
async def plan_and_calendar(
    request: Reading,
    as_of_index: AsOfIndex = None,
    as_of_recorded: AsOfRecorded = None,
    as_of_occurred: AsOfOccurred = None,
) -> Response:
    """Where the calendar is in the plan, and what each agency has done beside what it would have done at an even
    pace: now, after a number of entries of the log, as the log was at a given time, or of what had occurred by a date.
    """
    return await request.respond(lambda reader: pace_for(reader, as_of_index, as_of_recorded, as_of_occurred))


async def pace_for(
    reader: Reader,
    as_of_index: int | None = None,
    as_of_recorded: str | None = None,
    as_of_occurred: str | None = None,
) -> ReadAnswer[Pace]:
    """The plan against the calendar. Raises `Problem` (403, 422, 503)."""
    programme_scope(reader.caller)
    if as_of_index is None and as_of_recorded is None and as_of_occurred is None:
        return await reader.read([PROJECTIONS], lambda view: pace(view, view.log_index))
    past = await past_state(reader, as_of_index, as_of_recorded, as_of_occurred)
    if as_of_occurred is not None:
        return ReadAnswer((await occurred_for(reader, past, as_of_occurred))[1], past)
    async with reader.reads.connection() as connection, live_view(connection, [PROJECTIONS]) as view:
        if past.positions[0] > view.log_index:  # the log has these entries, the read model not yet
            raise Problem("database-away", retry_after_s=1)
        return ReadAnswer(await pace(view, past.positions[0]), past)
