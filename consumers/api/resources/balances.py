"""`/v1/balances`: the balances of the partnerships' accounts."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from consumers.api.access import money_scope
from consumers.api.cursor import text_after
from consumers.api.parameters import After, Limit
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import read_route
from consumers.documents.ledger.ledger import Balance, Balances
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from infra.postgres.connection import Connection

routes = APIRouter(tags=["revenue share"], default_response_class=Response)


_ANSWER: Final = "The shape of `yesser ledger balances --json`."


@read_route(routes, "/v1/balances", "balances", "The balances of the accounts", _ANSWER)
async def balances_for(reader: Reader, limit: Limit = 100, after: After = None) -> ReadAnswer[Balances]:
    """Accounts that have a transfer, by name. All balances of a partnership sum to zero."""
    scope = money_scope(reader.caller)

    async def rows(ledger: Connection) -> list[Balance]:
        return await read.balances(ledger, scope, text_after(after), limit + 1)

    found = await reader.page(REVENUE, rows, limit, lambda row: (row.account,))
    shown = Balances(log_index=found.log_index, accounts=tuple(found.document))
    return ReadAnswer(shown, found.state, found.next)
