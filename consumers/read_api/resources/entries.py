"""`/v1/entries`: entries by subject, type, event id and agency.

An agency reads its own entries, a partner the entries of its partnerships from agencies that own them, the office and
auditors all entries.
"""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Response

from consumers.access_scope import AccessScope
from consumers.as_of.view import View
from consumers.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.event_index.read import Query, as_full_type, find
from consumers.read_api import documents
from consumers.read_api.access import narrowed
from consumers.read_api.cursor import index_after
from consumers.read_api.parameters import After, AgencyCode, Limit, Text
from consumers.read_api.reading import Reading, Shown
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE

routes = APIRouter(tags=["log"], default_response_class=Response)


@routes.get("/v1/entries", summary="Find entries", responses=documents.responses(documents.ENTRIES, paged=True))
async def entries(
    request: Reading,
    subject: Text = None,
    type: Text = None,
    id: Text = None,
    agency: AgencyCode = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """By subject, type (`service.launched` or in full), event id and agency; all that are given must hold."""
    scope = narrowed(await request.scope(), agency)
    query = Query(subject, type and as_full_type(type), scope.agency, id, index_after(after), limit)

    async def shown(view: View) -> Shown:
        asked = query if scope.partners is None else await _of_partner(view, query, scope)
        found = await find(await view.use(EVENT_INDEX), asked)
        return Shown(found.events, None if found.next_cursor is None else (found.next_cursor,))

    consumers = [EVENT_INDEX] if scope.partners is None else [EVENT_INDEX, REVENUE]
    return await request.answer(consumers, shown)


async def _of_partner(view: View, query: Query, scope: AccessScope) -> Query:
    """The query limited to the partner's partnerships, without other agencies' entries, up to the ledger's position."""
    connection = await view.use(REVENUE)
    subjects = await read.subjects(connection, scope)
    without = await read.strangers(connection, subjects)
    return replace(query, subjects=subjects, without=without, below_index=view.positions[REVENUE.name])
