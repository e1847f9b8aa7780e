"""`/v1/balances`: the balances of the partnerships' accounts."""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.api import documents
from consumers.api.access import money_scope
from consumers.api.cursor import text_after
from consumers.api.parameters import After, Limit
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import Reading
from consumers.documents.ledger.ledger import Balance, Balances
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from infra.postgres.connection import Connection

routes = APIRouter(tags=["revenue share"], default_response_class=Response)


@routes.get(
    "/v1/balances",
    summary="The balances of the accounts",
    responses=documents.answers("The shape of `yesser ledger balances --json`.", Balances, paged=True),
)
async def balances(request: Reading, limit: Limit = 100, after: After = None) -> Response:
    """Accounts that have a transfer, by name. All balances of a partnership sum to zero."""
    return await request.respond(lambda reader: balances_for(reader, limit, after))


async def balances_for(reader: Reader, limit: int, after: str | None = None) -> ReadAnswer[Balances]:
    """A page of the accounts in scope. Raises `Problem` (403, 422, 503)."""
    scope = money_scope(reader.caller)

    async def rows(ledger: Connection) -> list[Balance]:
        return await read.balances(ledger, scope, text_after(after), limit + 1)

    found = await reader.page(REVENUE, rows, limit, lambda row: (row.account,))
    shown = Balances(log_index=found.log_index, accounts=tuple(found.document))
    return ReadAnswer(shown, found.state, found.next)
