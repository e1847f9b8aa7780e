"""`/v1/balances`: the balances of the partnerships' accounts."""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.as_of.view import View
from consumers.read_api import documents
from consumers.read_api.cursor import text_after
from consumers.read_api.parameters import After, Limit
from consumers.read_api.reading import Reading, Shown, page
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE

routes = APIRouter(tags=["revenue share"], default_response_class=Response)


@routes.get(
    "/v1/balances",
    summary="The balances of the accounts",
    responses=documents.responses(documents.BALANCES, paged=True),
)
async def balances(request: Reading, limit: Limit = 100, after: After = None) -> Response:
    """Accounts that have a transfer, by name. All balances of a partnership sum to zero."""
    scope = await request.money_scope()

    async def shown(view: View) -> Shown:
        kept = await read.balances(await view.use(REVENUE), scope, text_after(after), limit + 1)
        accounts, following = page(kept, limit, "account")
        return Shown({"log_index": view.log_index, "accounts": accounts}, following)

    return await request.answer([REVENUE], shown)
