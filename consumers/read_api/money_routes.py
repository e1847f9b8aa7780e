"""Partnerships, their statements and transfers, and the balances: the office and auditors see all of them, an agency
those that it owns, a private partner those that it signed."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from consumers.as_of.view import View
from consumers.read_api import documents
from consumers.read_api.access import reach_of
from consumers.read_api.cursor import indexes_after, text_after
from consumers.read_api.parameters import After, Id, Limit, Period
from consumers.read_api.reading import Shown, answer, found, listed, page
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from infra.http.problems import Problem
from infra.http.routes import RouteParts


def router(parts: RouteParts) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["revenue share"], default_response_class=Response)

    @routes.get(
        "/v1/partnerships", summary="Partnerships", responses=documents.responses(documents.PARTNERSHIPS, paged=True)
    )
    async def list_partnerships(request: Request, limit: Limit = 100, after: After = None) -> Response:
        """As they stand."""
        reach = reach_of(await parts.caller(request))
        question = listed(
            REVENUE,
            lambda tables: read.partnerships(tables, reach, text_after(after), limit + 1),
            limit,
            "partnership_id",
        )
        return await answer(parts, request, [REVENUE], question)

    @routes.get(
        "/v1/partnerships/{partnership_id}",
        summary="A partnership and its terms",
        responses=documents.responses(documents.PARTNERSHIP),
    )
    async def one_partnership(request: Request, partnership_id: Id) -> Response:
        """With the terms as signed and as amended."""
        reach = reach_of(await parts.caller(request))

        async def shown(looked_at: View) -> Shown:
            return Shown(found(await read.partnership(await looked_at.use(REVENUE), partnership_id, reach)))

        return await answer(parts, request, [REVENUE], shown)

    @routes.get(
        "/v1/partnerships/{partnership_id}/statements",
        summary="The statements of a partnership",
        responses=documents.responses(documents.STATEMENTS, paged=True),
    )
    async def list_statements(
        request: Request, partnership_id: Id, limit: Limit = 100, after: After = None
    ) -> Response:
        """One for each closed period."""
        reach = reach_of(await parts.caller(request))

        async def shown(looked_at: View) -> Shown:
            connection = await looked_at.use(REVENUE)
            found(await read.partnership(connection, partnership_id, reach))
            rows = await read.statements_of(connection, partnership_id, text_after(after), limit + 1)
            return Shown(*page(rows, limit, "period"))

        return await answer(parts, request, [REVENUE], shown)

    @routes.get(
        "/v1/partnerships/{partnership_id}/statements/{period}",
        summary="The statement of a closed period",
        responses=documents.responses(documents.STATEMENT),
    )
    async def one_statement(request: Request, partnership_id: Id, period: Period) -> Response:
        """404 as long as the period is not closed."""
        reach = reach_of(await parts.caller(request))

        async def shown(looked_at: View) -> Shown:
            connection = await looked_at.use(REVENUE)
            found(await read.partnership(connection, partnership_id, reach))
            try:
                return Shown(await read.statement(connection, partnership_id, period))
            except read.NoStatement:
                raise Problem("not-found") from None

        return await answer(parts, request, [REVENUE], shown)

    @routes.get(
        "/v1/partnerships/{partnership_id}/transfers",
        summary="The transfers of a partnership",
        responses=documents.responses(documents.TRANSFERS, paged=True),
    )
    async def list_transfers(request: Request, partnership_id: Id, limit: Limit = 100, after: After = None) -> Response:
        """In log order, each with the index of the entry that caused it."""
        reach = reach_of(await parts.caller(request))

        async def shown(looked_at: View) -> Shown:
            connection = await looked_at.use(REVENUE)
            found(await read.partnership(connection, partnership_id, reach))
            rows = await read.transfers(connection, partnership_id, indexes_after(after), limit + 1)
            transfers, following = page(rows, limit, "index", "line")
            document = {
                "log_index": looked_at.log_index,
                "partnership_id": partnership_id,
                "transfers": transfers,
            }
            return Shown(document, following)

        return await answer(parts, request, [REVENUE], shown)

    @routes.get(
        "/v1/balances",
        summary="The balances of the accounts",
        responses=documents.responses(documents.BALANCES, paged=True),
    )
    async def balances(request: Request, limit: Limit = 100, after: After = None) -> Response:
        """Accounts that have a transfer, by name. All balances of a partnership sum to zero."""
        reach = reach_of(await parts.caller(request))

        async def shown(looked_at: View) -> Shown:
            kept = await read.balances(await looked_at.use(REVENUE), reach, text_after(after), limit + 1)
            accounts, following = page(kept["accounts"], limit, "account")
            return Shown({"log_index": looked_at.log_index, "accounts": accounts}, following)

        return await answer(parts, request, [REVENUE], shown)

    return routes
