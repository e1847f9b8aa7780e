"""`/v1/partnerships`: partnerships and their terms.

The office and auditors see all of them, an agency those that it owns, a private partner those that it signed.
"""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.api import documents
from consumers.api.access import money_scope
from consumers.api.cursor import text_after
from consumers.api.parameters import After, Id, Limit
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import Reading, found
from consumers.documents.ledger.partnerships import Partnership, PartnershipAndTerms
from consumers.replay.as_of.view import View
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE

routes = APIRouter(tags=["revenue share"], default_response_class=Response)


@routes.get(
    "/v1/partnerships",
    summary="Partnerships",
    responses=documents.answers("Partnerships by id.", list[Partnership], paged=True),
)
async def list_partnerships(request: Reading, limit: Limit = 100, after: After = None) -> Response:
    """As they are."""
    return await request.respond(lambda reader: partnerships_for(reader, limit, after))


async def partnerships_for(reader: Reader, limit: int, after: str | None = None) -> ReadAnswer[list[Partnership]]:
    """A page of the partnerships in scope. Raises `Problem` (403, 422, 503)."""
    scope, key = money_scope(reader.caller), text_after(after)
    return await reader.page(
        REVENUE,
        lambda tables: read.partnerships(tables, scope, key, limit + 1),
        limit,
        lambda row: (row.partnership_id,),
    )


@routes.get(
    "/v1/partnerships/{partnership_id}",
    summary="A partnership and its terms",
    responses=documents.answers("A partnership and its terms.", PartnershipAndTerms),
)
async def one_partnership(request: Reading, partnership_id: Id) -> Response:
    """With the terms as signed and as amended."""
    return await request.respond(lambda reader: partnership_for(reader, partnership_id))


async def partnership_for(reader: Reader, partnership_id: str) -> ReadAnswer[PartnershipAndTerms]:
    """Raises `Problem` (403, 404, 503)."""
    scope = money_scope(reader.caller)

    async def question(view: View) -> PartnershipAndTerms:
        return found(await read.partnership(await view.use(REVENUE), partnership_id, scope))

    return await reader.read([REVENUE], question)
