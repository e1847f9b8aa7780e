"""`/v1/partnerships/{partnership_id}/statements` and `/transfers`: the money of one partnership."""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.access_scope import AccessScope
from consumers.as_of.view import View
from consumers.read_api import documents
from consumers.read_api.cursor import indexes_after, text_after
from consumers.read_api.parameters import After, Id, Limit, Period
from consumers.read_api.reading import Reading, Shown, found, page
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from infra.http.problems import Problem
from infra.postgres.connection import Connection

routes = APIRouter(tags=["revenue share"], default_response_class=Response)


@routes.get(
    "/v1/partnerships/{partnership_id}/statements",
    summary="The statements of a partnership",
    responses=documents.responses(documents.STATEMENTS, paged=True),
)
async def list_statements(request: Reading, partnership_id: Id, limit: Limit = 100, after: After = None) -> Response:
    """One for each closed period."""
    scope = await request.scope()

    async def shown(view: View) -> Shown:
        ledger = await _ledger_of(view, partnership_id, scope)
        rows = await read.statements_of(ledger, partnership_id, text_after(after), limit + 1)
        return Shown(*page(rows, limit, "period"))

    return await request.answer([REVENUE], shown)


@routes.get(
    "/v1/partnerships/{partnership_id}/statements/{period}",
    summary="The statement of a closed period",
    responses=documents.responses(documents.STATEMENT),
)
async def one_statement(request: Reading, partnership_id: Id, period: Period) -> Response:
    """404 as long as the period is not closed."""
    scope = await request.scope()

    async def shown(view: View) -> Shown:
        ledger = await _ledger_of(view, partnership_id, scope)
        try:
            return Shown(await read.statement(ledger, partnership_id, period))
        except read.NoStatement:
            raise Problem("not-found") from None

    return await request.answer([REVENUE], shown)


@routes.get(
    "/v1/partnerships/{partnership_id}/transfers",
    summary="The transfers of a partnership",
    responses=documents.responses(documents.TRANSFERS, paged=True),
)
async def list_transfers(request: Reading, partnership_id: Id, limit: Limit = 100, after: After = None) -> Response:
    """In log order, each with the index of the entry that caused it."""
    scope = await request.scope()

    async def shown(view: View) -> Shown:
        ledger = await _ledger_of(view, partnership_id, scope)
        rows = await read.transfers(ledger, partnership_id, indexes_after(after), limit + 1)
        transfers, following = page(rows, limit, "index", "line")
        document = {"log_index": view.log_index, "partnership_id": partnership_id, "transfers": transfers}
        return Shown(document, following)

    return await request.answer([REVENUE], shown)


async def _ledger_of(view: View, partnership_id: str, scope: AccessScope) -> Connection:
    """The revenue tables. Raises `Problem` (404) for a partnership that is out of scope."""
    ledger = await view.use(REVENUE)
    found(await read.partnership(ledger, partnership_id, scope))
    return ledger
