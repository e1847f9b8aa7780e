"""`/v1/partnerships`: partnerships, their terms, statements and transfers; `/v1/balances`: the money of all.

The office and auditors see all of them, an agency those that it owns, a private partner those that it signed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fastapi import APIRouter, Response

from consumers.api.access import money_scope
from consumers.api.parameters import After, Id, Limit, Period, indexes_after, text_after
from consumers.api.reader import JSON, ReadAnswer, Reader, Reading, described, found, in_formats, read_route, responses
from consumers.documents.ledger.ledger import Balance, Balances, Transfer, Transfers
from consumers.documents.ledger.partnerships import Partnership, PartnershipAndTerms
from consumers.documents.ledger.statements import Statement
from consumers.replay.as_of.view import View, view
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.statements.formats import FORMATS
from consumers.revenue.statements.read import statement_parts
from infra.http.negotiation import preferred
from infra.http.problems import Problem
from infra.json_documents import to_json
from infra.postgres.connection import Connection
from infra.settings import Settings

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


_OWN: Final = "/v1/partnerships/{partnership_id}"
FIGURES: Final = "json"
FILES: Final = {FIGURES: JSON, **{name: known.media_type for name, known in FORMATS.items()}}
"""The media types in which a statement is given: its figures, or with its working in one of `FORMATS`."""


@read_route(routes, _OWN + "/statements", "list_statements", "The statements of a partnership", "Statements by period.")
async def statements_for(
    reader: Reader, partnership_id: Id, limit: Limit = 100, after: After = None
) -> ReadAnswer[list[Statement]]:
    """One for each closed period."""
    scope = money_scope(reader.caller)

    async def rows(tables: Connection) -> list[Statement]:
        found(await read.partnership(tables, partnership_id, scope))
        return await read.statements_of(tables, partnership_id, text_after(after), limit + 1)

    return await reader.page(REVENUE, rows, limit, lambda row: (row.period,))


@routes.get(
    _OWN + "/statements/{period}",
    summary="The statement of a closed period",
    responses=responses(in_formats(described("The shape of `yesser ledger statement --json`.", Statement), FORMATS)),
)
async def one_statement(request: Reading, partnership_id: Id, period: Period) -> Response:
    """The figures as JSON; with another `Accept` the statement with its working as a page or on paper, or every receipt
    with its arithmetic as a table. 404 as long as the period is not closed.
    """
    accepted = preferred(request.http.headers.get("accept", ""), tuple(FILES.values()))
    name = next((name for name, media_type in FILES.items() if media_type == accepted), FIGURES)
    answer = await request.respond(
        lambda reader: statement_file_for(reader, partnership_id, period, name), media_type=FILES[name]
    )
    if name != FIGURES and answer.status_code == 200:
        answer.headers["Content-Disposition"] = f'inline; filename="{partnership_id}-{period}.{name}"'
    return answer


async def statement_for(reader: Reader, partnership_id: str, period: str) -> ReadAnswer[Statement]:
    """Raises `Problem` (403, 404, 503)."""
    scope = money_scope(reader.caller)

    async def question(view: View) -> Statement:
        tables = await view.use(REVENUE)
        found(await read.partnership(tables, partnership_id, scope))
        try:
            return await read.statement(tables, partnership_id, period)
        except read.NoStatement:
            raise Problem("not-found") from None

    return await reader.read([REVENUE], question)


async def statement_file_for(reader: Reader, partnership_id: str, period: str, name: str) -> ReadAnswer[bytes]:
    """A statement as one of `FILES`. Raises `Problem` (403, 404, 429, 503)."""
    variant = "" if name == FIGURES else name
    figures = await statement_for(replace(reader, format=variant), partnership_id, period)
    if name == FIGURES:
        return ReadAnswer(to_json(figures.document), figures.state)
    papers, holder = reader.reads.papers, reader.caller.quota_name
    return ReadAnswer(await papers.beside(holder, written_statement, partnership_id, period, name), figures.state)


_TRANSFERS: Final = "The shape of `yesser ledger transfers --json`, in log order."


@read_route(routes, _OWN + "/transfers", "list_transfers", "The transfers of a partnership", _TRANSFERS)
async def named_transfers_for(
    reader: Reader, partnership_id: Id, limit: Limit = 100, after: After = None
) -> ReadAnswer[Transfers]:
    """In log order, each with the index of the entry that caused it."""
    page = await transfers_for(reader, partnership_id, limit, after)
    named = Transfers(log_index=page.log_index, partnership_id=partnership_id, transfers=tuple(page.document))
    return ReadAnswer(named, page.state, page.next)


async def transfers_for(
    reader: Reader, partnership_id: str, limit: int, after: str | None = None, kind: str | None = None
) -> ReadAnswer[list[Transfer]]:
    """A page of the transfers, or of those of one account. Raises `Problem` (403, 404, 422, 503)."""
    scope = money_scope(reader.caller)

    async def rows(tables: Connection) -> list[Transfer]:
        found(await read.partnership(tables, partnership_id, scope))
        return await read.transfers(tables, partnership_id, indexes_after(after), limit + 1, kind)

    return await reader.page(REVENUE, rows, limit, lambda row: (row.index, row.line))


async def written_statement(settings: Settings, partnership_id: str, period: str, name: str) -> bytes:
    """The statement with its working in one of `FORMATS`."""
    async with view(settings, [REVENUE]) as shown:
        parts = await statement_parts(await shown.use(REVENUE), partnership_id, period, settings.public_address)
    return FORMATS[name].render(parts)


_BALANCES: Final = "The shape of `yesser ledger balances --json`."


@read_route(routes, "/v1/balances", "balances", "The balances of the accounts", _BALANCES)
async def balances_for(reader: Reader, limit: Limit = 100, after: After = None) -> ReadAnswer[Balances]:
    """Accounts that have a transfer, by name. All balances of a partnership sum to zero."""
    scope = money_scope(reader.caller)

    async def rows(ledger: Connection) -> list[Balance]:
        return await read.balances(ledger, scope, text_after(after), limit + 1)

    found = await reader.page(REVENUE, rows, limit, lambda row: (row.account,))
    shown = Balances(log_index=found.log_index, accounts=tuple(found.document))
    return ReadAnswer(shown, found.state, found.next)
