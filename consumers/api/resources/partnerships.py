"""`/v1/partnerships`: partnerships and their terms.

The office and auditors see all of them, an agency those that it owns, a private partner those that it signed.
"""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.api.access import money_scope
from consumers.api.cursor import text_after
from consumers.api.parameters import After, Id, Limit
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import found, read_route
from consumers.documents.ledger.partnerships import Partnership, PartnershipAndTerms
from consumers.replay.as_of.view import View
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE

routes = APIRouter(tags=["revenue share"], default_response_class=Response)


@read_route(routes, "/v1/partnerships", "list_partnerships", "Partnerships", "Partnerships by id.")
async def partnerships_for(reader: Reader, limit: Limit = 100, after: After = None) -> ReadAnswer[list[Partnership]]:
    """As they are."""
    scope, key = money_scope(reader.caller), text_after(after)
    return await reader.page(
        REVENUE,
        lambda tables: read.partnerships(tables, scope, key, limit + 1),
        limit,
        lambda row: (row.partnership_id,),
    )


@read_route(routes, "/v1/partnerships/{partnership_id}", "one_partnership", "A partnership and its terms")
async def partnership_for(reader: Reader, partnership_id: Id) -> ReadAnswer[PartnershipAndTerms]:
    """With the terms as signed and as amended."""
    scope = money_scope(reader.caller)

    async def question(view: View) -> PartnershipAndTerms:
        return found(await read.partnership(await view.use(REVENUE), partnership_id, scope))

    return await reader.read([REVENUE], question)
