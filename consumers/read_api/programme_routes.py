"""`/v1/plan`, services, projects and campaigns: what the office, the auditors and every agency see of the programme."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from consumers.access_scope import AccessScope
from consumers.as_of.view import View
from consumers.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.campaigns.read import campaign, campaigns
from consumers.plan.document import JUDGING, plan_document
from consumers.projections.consumer import CONSUMER as PROJECTIONS
from consumers.projections.read import project, projects, service, services
from consumers.read_api import documents
from consumers.read_api.access import may_read, programme_reach, without_words_of_others
from consumers.read_api.cursor import text_after
from consumers.read_api.parameters import After, AsOfIndex, AsOfRecorded, Id, Limit
from consumers.read_api.past import past_of
from consumers.read_api.past_plans import PastPlans, fold_beside
from consumers.read_api.reading import JSON, Shown, answer, found, listed
from infra.http.routes import RouteParts


def router(parts: RouteParts) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["programme"], default_response_class=Response)
    past_plans = PastPlans(fold_beside(parts.settings))

    @routes.get("/v1/plan", summary="The plan at a glance", responses=documents.responses(documents.PLAN))
    async def plan(request: Request, as_of_index: AsOfIndex = None, as_of_recorded: AsOfRecorded = None) -> Response:
        """The figures of the plan: now, after so many entries of the log, or as the log stood at a time.

        An agency sees the figures of its own partnerships only. For the past the log is folded again, which takes a
        while for a long one; the answer never changes.
        """
        reach = programme_reach(await parts.caller(request))
        if as_of_index is not None or as_of_recorded is not None:
            past = await past_of(parts, as_of_index, as_of_recorded)
            if past.is_known_to(request):
                return Response(None, 304, past.headers())
            document = _within(await past_plans.plan(past.index), reach)
            return Response(orjson.dumps(document), 200, past.headers(), JSON)

        async def shown(looked_at: View) -> Shown:
            return Shown(_within(await plan_document(looked_at), reach))

        return await answer(parts, request, JUDGING, shown)

    @routes.get(
        "/v1/services", summary="The service directory", responses=documents.responses(documents.SERVICES, paged=True)
    )
    async def list_services(request: Request, limit: Limit = 100, after: After = None) -> Response:
        """Every registered service and its state."""
        programme_reach(await parts.caller(request))
        question = listed(
            PROJECTIONS, lambda tables: services(tables, text_after(after), limit + 1), limit, "service_id"
        )
        return await answer(parts, request, [PROJECTIONS], question)

    @routes.get(
        "/v1/services/{service_id}",
        summary="A service and its history",
        responses=documents.responses(documents.SERVICE),
    )
    async def one_service(request: Request, service_id: Id) -> Response:
        """What happened to it, step by step, each with the index of its entry."""
        reach = programme_reach(await parts.caller(request))

        async def shown(looked_at: View) -> Shown:
            return Shown(_with_history(found(await service(await looked_at.use(PROJECTIONS), service_id)), reach))

        return await answer(parts, request, [PROJECTIONS], shown)

    @routes.get("/v1/projects", summary="The projects", responses=documents.responses(documents.PROJECTS, paged=True))
    async def list_projects(request: Request, limit: Limit = 100, after: After = None) -> Response:
        """Every registered project and how many of its phases are started and completed."""
        programme_reach(await parts.caller(request))
        question = listed(
            PROJECTIONS, lambda tables: projects(tables, text_after(after), limit + 1), limit, "project_id"
        )
        return await answer(parts, request, [PROJECTIONS], question)

    @routes.get(
        "/v1/projects/{project_id}",
        summary="A project, its phases and its history",
        responses=documents.responses(documents.PROJECT),
    )
    async def one_project(request: Request, project_id: Id) -> Response:
        """What happened to it and to each phase, step by step, each with the index of its entry."""
        reach = programme_reach(await parts.caller(request))

        async def shown(looked_at: View) -> Shown:
            return Shown(_with_history(found(await project(await looked_at.use(PROJECTIONS), project_id)), reach))

        return await answer(parts, request, [PROJECTIONS], shown)

    @routes.get(
        "/v1/campaigns",
        summary="The awareness campaigns",
        responses=documents.responses(documents.CAMPAIGNS, paged=True),
    )
    async def list_campaigns(request: Request, limit: Limit = 100, after: After = None) -> Response:
        """Every campaign that stands in the log, and its state."""
        programme_reach(await parts.caller(request))
        question = listed(
            CAMPAIGNS, lambda tables: campaigns(tables, text_after(after), limit + 1), limit, "campaign_id"
        )
        return await answer(parts, request, [CAMPAIGNS], question)

    @routes.get(
        "/v1/campaigns/{campaign_id}",
        summary="A campaign, its brief and its airings",
        responses=documents.responses(documents.CAMPAIGN),
    )
    async def one_campaign(request: Request, campaign_id: Id) -> Response:
        """Why it was triggered, what was asked for, and what became of it."""
        reach = programme_reach(await parts.caller(request))

        async def shown(looked_at: View) -> Shown:
            row = found(await campaign(await looked_at.use(CAMPAIGNS), campaign_id))
            return Shown(row if may_read(reach, row["owner"]) else {**row, "airings": None})

        return await answer(parts, request, [CAMPAIGNS], shown)

    return routes


def _within(plan: dict[str, Any], reach: AccessScope) -> dict[str, Any]:
    """The plan with the money of the partnerships that are within reach."""
    return {**plan, "partnerships": [row for row in plan["partnerships"] if may_read(reach, row["agency"])]}


def _with_history(document: dict[str, Any], reach: AccessScope) -> dict[str, Any]:
    return {**document, "history": without_words_of_others(document["history"], reach)}
