"""`/v1/partnerships/{partnership_id}/statements` and `/transfers`: the money of one partnership."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from consumers.access_scope import AccessScope
from consumers.as_of.view import View, view
from consumers.read_api import documents
from consumers.read_api.access import money_scope
from consumers.read_api.beside import Slots, calculated
from consumers.read_api.cursor import indexes_after, text_after
from consumers.read_api.parameters import After, Id, Limit, Period
from consumers.read_api.reading import JSON, Reading, Shown, found, page
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.statements.formats import FORMATS
from consumers.revenue.statements.read import proven_parts
from infra.http.negotiation import preferred
from infra.http.problems import Problem
from infra.postgres.connection import Connection
from infra.settings import Settings

_FIGURES: Final = "json"
_TYPES: Final = {JSON: _FIGURES, **{known.media_type: name for name, known in FORMATS.items()}}

routes = APIRouter(tags=["revenue share"], default_response_class=Response)


async def _papers(request: Request) -> Slots:
    kept: Slots = request.state.papers
    return kept


@routes.get(
    "/v1/partnerships/{partnership_id}/statements",
    summary="The statements of a partnership",
    responses=documents.responses(documents.STATEMENTS, paged=True),
)
async def list_statements(request: Reading, partnership_id: Id, limit: Limit = 100, after: After = None) -> Response:
    """One for each closed period."""
    scope = await request.money_scope()

    async def shown(view: View) -> Shown:
        ledger = await _ledger_of(view, partnership_id, scope)
        rows = await read.statements_of(ledger, partnership_id, text_after(after), limit + 1)
        return Shown(*page(rows, limit, "period"))

    return await request.answer([REVENUE], shown)


@routes.get(
    "/v1/partnerships/{partnership_id}/statements/{period}",
    summary="The statement of a closed period",
    responses=documents.responses(documents.in_formats(documents.STATEMENT, FORMATS)),
)
async def one_statement(
    request: Reading, partnership_id: Id, period: Period, papers: Annotated[Slots, Depends(_papers)]
) -> Response:
    """The figures as JSON; with another `Accept` the statement with its working as a page or on paper, or every receipt
    with its arithmetic as a table. 404 as long as the period is not closed.
    """
    caller = await request.caller()
    scope = money_scope(caller)

    async def shown(view: View) -> Shown:
        ledger = await _ledger_of(view, partnership_id, scope)
        try:
            return Shown(await read.statement(ledger, partnership_id, period))
        except read.NoStatement:
            raise Problem("not-found") from None

    name = _format_of(request.http.headers.get("accept", ""))
    answer = await request.answer([REVENUE], shown, "" if name == _FIGURES else name)
    if name == _FIGURES or answer.status_code != 200:
        return answer
    with papers.using(caller.quota_name):
        body = await calculated(request.parts.settings, written_statement, partnership_id, period, name)
    headers = {header: answer.headers[header] for header in ("ETag", "Log-Index", "Cache-Control", "Vary")}
    headers["Content-Disposition"] = f'inline; filename="{partnership_id}-{period}.{name}"'
    return Response(body, headers=headers, media_type=FORMATS[name].media_type)


@routes.get(
    "/v1/partnerships/{partnership_id}/transfers",
    summary="The transfers of a partnership",
    responses=documents.responses(documents.TRANSFERS, paged=True),
)
async def list_transfers(request: Reading, partnership_id: Id, limit: Limit = 100, after: After = None) -> Response:
    """In log order, each with the index of the entry that caused it."""
    scope = await request.money_scope()

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


def _format_of(accept: str) -> str:
    """The name of the format that the client prefers; figures as JSON where it accepts none that there is."""
    return _TYPES[preferred(accept, tuple(_TYPES)) or JSON]


async def written_statement(settings: Settings, partnership_id: str, period: str, name: str) -> bytes:
    """The statement with its working in one of `FORMATS`."""
    async with view(settings, [REVENUE]) as shown:
        parts = await proven_parts(await shown.use(REVENUE), partnership_id, period, settings.public_address)
    return FORMATS[name].render(*parts)
