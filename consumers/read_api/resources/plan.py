"""`/v1/plan`: the figures that `yesser plan` shows."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from msgspec import UNSET
from msgspec.structs import replace

from consumers.access_scope import AccessScope
from consumers.as_of.view import View
from consumers.documents.plan import Plan
from consumers.plan.document import PLAN_CONSUMERS, plan_document
from consumers.read_api import documents
from consumers.read_api.access import may_read
from consumers.read_api.parameters import PAGE_ROWS_MAX, AsOfIndex, AsOfRecorded
from consumers.read_api.past import past_of
from consumers.read_api.past_plans import PastPlans
from consumers.read_api.reading import JSON, Reading, Shown
from infra.json_documents import to_json

routes = APIRouter(tags=["programme"], default_response_class=Response)

_PARTNERSHIPS_MAX: Final = (
    "The largest number of partnerships to return, by id; `partnerships_count` then gives their total."
)


async def _past_plans(request: Request) -> PastPlans:
    kept: PastPlans = request.state.past_plans
    return kept


@routes.get("/v1/plan", summary="The plan at a glance", responses=documents.responses(documents.PLAN))
async def plan(
    request: Reading,
    past_plans: Annotated[PastPlans, Depends(_past_plans)],
    as_of_index: AsOfIndex = None,
    as_of_recorded: AsOfRecorded = None,
    partnerships_max: Annotated[int | None, Query(ge=0, le=PAGE_ROWS_MAX, description=_PARTNERSHIPS_MAX)] = None,
) -> Response:
    """The figures of the plan: now, after a number of entries of the log, or as the log was at a given time.

    An agency sees the figures of its own partnerships only. A past plan takes longer, and never changes.
    """
    scope = await request.programme_scope()
    if as_of_index is not None or as_of_recorded is not None:
        past = await past_of(request.parts, as_of_index, as_of_recorded)
        if past.is_known_to(request.http):
            return Response(None, 304, past.headers())
        holder = (await request.caller()).quota_name
        document = _within(await past_plans.plan(past.index, holder), scope, partnerships_max)
        return Response(to_json(document), 200, past.headers(), JSON)

    async def shown(view: View) -> Shown:
        return Shown(await plan_document(view, scope.agency, partnerships_max))

    return await request.answer(PLAN_CONSUMERS, shown)


def _within(plan: Plan, scope: AccessScope, partnerships_max: int | None) -> Plan:
    """The plan, with only the partnerships in scope, and the first of them."""
    within = tuple(row for row in plan.partnerships if may_read(scope, row.agency))
    counted = UNSET if partnerships_max is None else len(within)
    return replace(plan, partnerships=within[:partnerships_max], partnerships_count=counted)
