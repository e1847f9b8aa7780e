"""`/v1/partnerships`: partnerships and their terms.

The office and auditors see all of them, an agency those that it owns, a private partner those that it signed.
"""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.read_api import documents
from consumers.read_api.cursor import text_after
from consumers.read_api.parameters import After, Id, Limit
from consumers.read_api.reading import Reading
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE

routes = APIRouter(tags=["revenue share"], default_response_class=Response)


@routes.get(
    "/v1/partnerships", summary="Partnerships", responses=documents.responses(documents.PARTNERSHIPS, paged=True)
)
async def list_partnerships(request: Reading, limit: Limit = 100, after: After = None) -> Response:
    """As they are."""
    scope = await request.money_scope()
    return await request.page(
        REVENUE, lambda tables: read.partnerships(tables, scope, text_after(after), limit + 1), limit, "partnership_id"
    )


@routes.get(
    "/v1/partnerships/{partnership_id}",
    summary="A partnership and its terms",
    responses=documents.responses(documents.PARTNERSHIP),
)
async def one_partnership(request: Reading, partnership_id: Id) -> Response:
    """With the terms as signed and as amended."""
    scope = await request.money_scope()
    return await request.one(REVENUE, lambda tables: read.partnership(tables, partnership_id, scope))
