"""`/v1/plan`: the figures that `yesser plan` shows; `/v1/pace`: the plan against the calendar."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from msgspec import UNSET
from msgspec.structs import replace

from consumers.api.access import may_read, programme_scope
from consumers.api.parameters import PAGE_ROWS_MAX, AsOfIndex, AsOfOccurred, AsOfRecorded
from consumers.api.past import occurred_for, past_plan, past_state
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import read_route
from consumers.documents.access_scope import AccessScope
from consumers.documents.programme.plan import Pace, Plan
from consumers.programme.plan.document import PLAN_CONSUMERS, plan_document
from consumers.programme.plan.pace import pace
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.replay.as_of.view import live_view
from infra.http.problems import Problem

routes = APIRouter(tags=["programme"], default_response_class=Response)

_ANSWER: Final = "The shape of `yesser plan --json`; `partnerships_count` with `partnerships_max` only."
_PARTNERSHIPS_MAX: Final = (
    "The largest number of partnerships to return, by id; `partnerships_count` then gives their total."
)


@read_route(routes, "/v1/plan", "plan", "The plan at a glance", _ANSWER)
async def plan_for(
    reader: Reader,
    as_of_index: AsOfIndex = None,
    as_of_recorded: AsOfRecorded = None,
    as_of_occurred: AsOfOccurred = None,
    partnerships_max: Annotated[int | None, Query(ge=0, le=PAGE_ROWS_MAX, description=_PARTNERSHIPS_MAX)] = None,
) -> ReadAnswer[Plan]:
    """The figures of the plan: now, after a number of entries of the log, as the log was at a given time, or of what
    had occurred by a date.

    An agency sees the figures of its own partnerships only. A past plan takes longer, and never changes.
    """
    scope = programme_scope(reader.caller)
    if as_of_index is None and as_of_recorded is None and as_of_occurred is None:
        return await reader.read(PLAN_CONSUMERS, lambda view: plan_document(view, scope.agency, partnerships_max))
    past = await past_state(reader, as_of_index, as_of_recorded, as_of_occurred)
    if as_of_occurred is not None:
        return ReadAnswer(_within((await occurred_for(reader, past, as_of_occurred))[0], scope, partnerships_max), past)
    whole = await reader.reads.past_plans.shared(reader.caller.quota_name, past_plan, past.positions[0])
    return ReadAnswer(_within(whole, scope, partnerships_max), past)


def _within(plan: Plan, scope: AccessScope, partnerships_max: int | None) -> Plan:
    """The plan, with only the partnerships in scope, and the first of them."""
    within = tuple(row for row in plan.partnerships if may_read(scope, row.agency))
    counted = UNSET if partnerships_max is None else len(within)
    return replace(plan, partnerships=within[:partnerships_max], partnerships_count=counted)


@read_route(routes, "/v1/pace", "plan_and_calendar", "The plan against the calendar")
async def pace_for(
    reader: Reader,
    as_of_index: AsOfIndex = None,
    as_of_recorded: AsOfRecorded = None,
    as_of_occurred: AsOfOccurred = None,
) -> ReadAnswer[Pace]:
    """Where the calendar is in the plan, and what each agency has done beside what it would have done at an even
    pace: now, after a number of entries of the log, as the log was at a given time, or of what had occurred by a date.
    """
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
