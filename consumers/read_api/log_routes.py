"""What stands in the log: entries, anomalies, activity, and each entry's proof.

An agency reads what it sent, a partner what was said of its partnerships by those who had a say in them, the office and
auditors everything.
"""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request, Response

from consumers.access_scope import AccessScope
from consumers.as_of.view import View
from consumers.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.event_index.read import Query, as_full_type, find
from consumers.plan.document import JUDGING, anomalies_found
from consumers.projections.consumer import CONSUMER as PROJECTIONS
from consumers.projections.read import AnomaliesSought, activity
from consumers.read_api import documents
from consumers.read_api.access import narrowed, programme_reach, reach_of
from consumers.read_api.cursor import index_after, indexes_after, text_after
from consumers.read_api.parameters import After, AgencyCode, Index, Limit, Text
from consumers.read_api.proofs import proof_within
from consumers.read_api.reading import Shown, answer, listed, page
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from infra.http.routes import RouteParts
from infra.log.proofs import PROOF_PREFIX


def router(parts: RouteParts) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["log"], default_response_class=Response)

    @routes.get("/v1/entries", summary="Find entries", responses=documents.responses(documents.ENTRIES, paged=True))
    async def entries(
        request: Request,
        subject: Text = None,
        type: Text = None,
        id: Text = None,
        agency: AgencyCode = None,
        limit: Limit = 100,
        after: After = None,
    ) -> Response:
        """By subject, type (`service.launched` or in full), event id and agency; all that are given must hold."""
        reach = narrowed(reach_of(await parts.caller(request)), agency)
        query = Query(subject, type and as_full_type(type), reach.agency, id, index_after(after), limit)

        async def shown(looked_at: View) -> Shown:
            asked = query if reach.partner is None else await _of_partner(looked_at, query, reach)
            found = await find(await looked_at.use(EVENT_INDEX), asked)
            return Shown(found.events, None if found.next_cursor is None else (found.next_cursor,))

        consumers = [EVENT_INDEX] if reach.partner is None else [EVENT_INDEX, REVENUE]
        return await answer(parts, request, consumers, shown)

    @routes.get(
        "/v1/anomalies",
        summary="What was accepted and does not fit what is known",
        responses=documents.responses(documents.ANOMALIES, paged=True),
    )
    async def anomalies(
        request: Request, agency: AgencyCode = None, limit: Limit = 100, after: After = None
    ) -> Response:
        """In the order in which they were found. They changed nothing."""
        reach = narrowed(reach_of(await parts.caller(request)), agency)
        sought = AnomaliesSought(reach.agency, after=indexes_after(after), rows_max=limit + 1)

        async def shown(looked_at: View) -> Shown:
            asked = sought
            if reach.partner is not None:
                subjects = await read.subjects(await looked_at.use(REVENUE), reach)
                asked = replace(sought, subjects=subjects, without_rules=read.STRANGERS_RULES)
            rows = await anomalies_found(looked_at, asked)
            return Shown(*page(rows, limit, "found_index", "index"))

        return await answer(parts, request, JUDGING, shown)

    @routes.get(
        "/v1/activity",
        summary="What each agency sent",
        responses=documents.responses(documents.ACTIVITY, paged=True),
    )
    async def agencies_activity(
        request: Request, agency: AgencyCode = None, limit: Limit = 100, after: After = None
    ) -> Response:
        """Numbers of accepted events by type and of refused records, with the first and last index of each."""
        reach = narrowed(programme_reach(await parts.caller(request)), agency)
        question = listed(
            PROJECTIONS, lambda tables: activity(tables, reach.agency, text_after(after), limit + 1), limit, "agency"
        )
        return await answer(parts, request, [PROJECTIONS], question)

    @routes.get(
        PROOF_PREFIX + "{index}",
        summary="An entry with the proof that it is in the log",
        responses=documents.proof_responses(),
    )
    async def proof(request: Request, index: Index) -> Response:
        """The entry's bytes and its inclusion proof (RFC 6962) under the newest signed checkpoint."""
        return await proof_within(parts, reach_of(await parts.caller(request)), index)

    return routes


async def _of_partner(looked_at: View, query: Query, reach: AccessScope) -> Query:
    """The query among what was said of the partner's partnerships, as far as it was judged who had a say in them."""
    connection = await looked_at.use(REVENUE)
    subjects = await read.subjects(connection, reach)
    without = await read.strangers(connection, subjects)
    return replace(query, subjects=subjects, without=without, below_index=looked_at.positions[REVENUE.name])
