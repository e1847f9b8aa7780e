"""`/v1/open-periods` and, of a partnership, its periods, accounts, forecast and what-if, and how a statement follows.

They answer what `yesser ledger` prints, to those who may read the partnership.

Calculations from the entries of a partnership, away from the event loop.

A partnership with few entries is calculated in a thread, one at a time; one with many in a process of the pool
(`consumers.api.calculations`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Annotated, Final, TypeVar

import orjson
from fastapi import APIRouter, Query, Response
from fastapi import Path as PathParameter
from msgspec.structs import asdict

from consumers.api.access import money_scope
from consumers.api.parameters import After, Id, Limit, Period, text_after
from consumers.api.reader import ReadAnswer, Reader, Reading, answers, found, read_route, responses
from consumers.api.resources.partnerships import statement_for, transfers_for
from consumers.api.routes import router_of
from consumers.documents.document import D, documents_of
from consumers.documents.ledger.forecasts import Forecast, WhatIf
from consumers.documents.ledger.ledger import Account, AccountKind, Transfer
from consumers.documents.ledger.partnerships import OpenPeriod, RevenuePeriod
from consumers.documents.ledger.statements import ExplainedFigure, WorkingAndDays
from consumers.explain.database import TooManyEntries, few_entries_in, first_entry_in
from consumers.explain.figures import Scope
from consumers.explain.ledger.proving import entries_of, zipped_proof
from consumers.explain.ledger.what_if import NothingSigned, WrongTerms, forecast, require_terms, what_if
from consumers.explain.over_http.routes import Check, explained_for, figure_problems
from consumers.explain.renderings import figure_document
from consumers.explain.statement_formulas import FORMULAS
from consumers.replay.as_of.view import View, view
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.statements.read import statement_parts
from consumers.revenue.statements.working import statement_days
from events.values.data import Data
from infra.http.documents import BINARY, answer
from infra.http.parameters import bad_parameter
from infra.http.problems import Problem
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.settings import Settings

ENTRIES_HERE_MAX: Final = 500
"""Entries of a partnership that are folded in this process: some tenths of a second."""

T = TypeVar("T")
Raw = tuple[int, bytes]
TERMS_LENGTH_MAX: Final = 6_000
_OWN: Final = "/v1/partnerships/{partnership_id}"
ZIP: Final = "application/zip"
STEPS_MAX: Final = 100
"""Steps of a figure that are shown."""
_SQL: Final = queries("consumers.explain.ledger.over_http", "read.sql")

Field = Annotated[str, PathParameter(pattern=f"^({'|'.join(FORMULAS)})$", description="A figure of the statement.")]
KindOfAccount = Annotated[str, PathParameter(pattern=f"^({'|'.join(known.value for known in AccountKind)})$")]
Terms = Annotated[
    str, Query(max_length=TERMS_LENGTH_MAX, description="JSON with the members of the terms that differ.")
]

routes: Final = APIRouter(tags=["revenue share"], default_response_class=Response)
router: Final = router_of(routes)


async def calculated_for(
    reader: Reader,
    partnership_id: str,
    calculation: Callable[..., T],
    *asked: str,
    check: Check | None = None,
) -> ReadAnswer[T]:
    """What a function of a module makes of the entries of a partnership in scope, and of `asked`; it is remembered.

    Raises `Problem`: 404, 429, 500 for a changed entry, 503, and those of `check`, which comes first.
    """
    calculations = reader.reads.calculations

    async def question(view: View) -> list[Raw] | None:
        return await entries_in_scope(reader, view, partnership_id, check)

    few = await reader.read([REVENUE, EVENT_INDEX], question)
    if few.document is None:
        document = await calculations.beside(reader.caller.quota_name, _beside, calculation, partnership_id, *asked)
    else:
        key = calculation, partnership_id, len(few.document), *asked
        with _problems():
            document = await calculations.here(partial(calculation, few.document, *asked), key)
    return ReadAnswer(document, few.state)


async def entries_in_scope(
    reader: Reader, view: View, partnership_id: str, check: Check | None = None
) -> list[Raw] | None:
    """As `few_entries`, after `check`. Raises `Problem` (403, 404, 500 for a changed entry)."""
    found(await read.partnership(await view.use(REVENUE), partnership_id, money_scope(reader.caller)))
    with _problems():
        if check is not None:
            await check(view)
        return await few_entries(view, partnership_id)


async def _beside(settings: Settings, calculation: Callable[..., T], partnership_id: str, *asked: str) -> T:
    return calculation(await entries_of(settings, f"partnership/{partnership_id}"), *asked)


@contextmanager
def _problems() -> Iterator[None]:
    """As `figure_problems`; and 404 for a partnership in the tables that no entry signs."""
    with figure_problems():
        try:
            yield
        except NothingSigned:
            raise Problem("not-found") from None


async def few_entries(view: View, partnership_id: str) -> list[Raw] | None:
    """The entries of a partnership that the ledger has applied; None where they are more than `ENTRIES_HERE_MAX`, or
    the index of events is far behind."""
    scope = Scope(f"partnership/{partnership_id}")
    try:
        return await few_entries_in(view, view.positions[REVENUE.name], scope, ENTRIES_HERE_MAX)
    except TooManyEntries:
        return None


async def signing_entry(view: View, partnership_id: str) -> Raw | None:
    """The first of them that signs the partnership; None where the index of events is far behind."""
    scope = Scope(f"partnership/{partnership_id}", frozenset({"partnership.signed"}))
    return await first_entry_in(view, view.positions[REVENUE.name], scope)


@read_route(
    routes, "/v1/open-periods", "open_periods", "What is expected of the open periods", "Open periods by partnership."
)
async def open_periods_for(reader: Reader, limit: Limit = 100, after: After = None) -> ReadAnswer[list[OpenPeriod]]:
    """By partnership. `period` is null where all periods are closed."""
    scope = money_scope(reader.caller)
    given = scope.agency, scope.partners, text_after(after), limit + 1

    async def rows(tables: Connection) -> list[OpenPeriod]:
        return documents_of(OpenPeriod, await tables.fetch(_SQL["open_periods"], *given))

    return await reader.page(REVENUE, rows, limit, lambda row: (row.partnership_id,))


@read_route(routes, _OWN + "/periods", "periods", "Expected and actual revenue by period", "Periods in order.")
async def periods_for(reader: Reader, partnership_id: Id) -> ReadAnswer[list[RevenuePeriod]]:
    """Each with something expected, posted or closed. Of one that is open `net_halalas` is what came so far."""
    return await _rows_of(reader, partnership_id, "periods", RevenuePeriod)


@read_route(routes, _OWN + "/accounts", "accounts", "The accounts of a partnership", "Accounts by name.")
async def accounts_for(reader: Reader, partnership_id: Id) -> ReadAnswer[list[Account]]:
    """Those that have a transfer. Their balances sum to zero."""
    return await _rows_of(reader, partnership_id, "accounts", Account)


@routes.get(
    _OWN + "/accounts/{kind}/transfers",
    summary="The transfers of an account",
    responses=answers("Transfers in log order.", list[Transfer], paged=True),
)
async def account_transfers(
    request: Reading, partnership_id: Id, kind: KindOfAccount, limit: Limit = 100, after: After = None
) -> Response:
    """In log order, each with the index of the entry that caused it."""
    return await request.respond(lambda reader: transfers_for(reader, partnership_id, limit, after, kind))


@read_route(
    routes,
    _OWN + "/forecast",
    "one_forecast",
    "What a partnership may still bring, and cost",
    "The shape of `yesser ledger forecast --json`.",
)
async def forecast_for(reader: Reader, partnership_id: Id) -> ReadAnswer[Forecast]:
    """The periods that are not closed, priced at the pace so far, as expected, and if nothing more comes."""
    return await calculated_for(reader, partnership_id, forecast)


@read_route(
    routes,
    _OWN + "/what-if",
    "other_terms",
    "The real history under other terms",
    "The shape of `yesser ledger what-if --json`.",
)
async def what_if_for(reader: Reader, partnership_id: Id, terms: Terms) -> ReadAnswer[WhatIf]:
    """By period and party; nothing is written. Other terms hold from the signing on; amendments are left out."""
    given = _terms_of(terms)

    async def check(view: View) -> None:
        signing = await signing_entry(view, partnership_id)
        try:
            if signing is not None:
                require_terms([signing], given)
        except WrongTerms as error:
            raise bad_parameter("terms", str(error)) from None

    return await calculated_for(reader, partnership_id, _what_if, partnership_id, terms, check=check)


def _what_if(entries: list[Raw], partnership_id: str, terms: str) -> WhatIf:
    return what_if(partnership_id, entries, _terms_of(terms))


async def working_of(settings: Settings, partnership_id: str, period: str) -> WorkingAndDays:
    """Without its days, which are as many as the entries."""
    async with view(settings, [REVENUE]) as shown:
        parts = await statement_parts(await shown.use(REVENUE), partnership_id, period, None)
    return WorkingAndDays(**asdict(parts.document()), days=None)


@read_route(
    routes,
    _OWN + "/statements/{period}/working",
    "working",
    "How the figures of a statement follow",
    "The shape of `yesser ledger statement --working --json`, and lines by day and band.",
)
async def working_for(reader: Reader, partnership_id: Id, period: Period) -> ReadAnswer[WorkingAndDays]:
    """Shares by band, rounding, guarantee, payouts. `days` is null for a partnership with many entries: take CSV."""

    async def question(view: View) -> WorkingAndDays | None:
        if await entries_in_scope(reader, view, partnership_id, closed(partnership_id, period)) is None:
            return None
        parts = await statement_parts(await view.use(REVENUE), partnership_id, period, None)
        days = statement_days(parts.partnership.versions, parts.postings)
        return WorkingAndDays(**asdict(parts.document()), days=tuple(days))

    known = await reader.read([REVENUE, EVENT_INDEX], question)
    document = known.document
    if document is None:
        holder = reader.caller.quota_name
        document = await reader.reads.calculations.beside(holder, working_of, partnership_id, period)
    return ReadAnswer(document, known.state)


@routes.get(
    _OWN + "/statements/{period}/proof",
    summary="The proof of a statement",
    responses=responses(answer("A ZIP for `yesser ledger verify-statement`.", BINARY, ZIP)),
)
async def proof(request: Reading, partnership_id: Id, period: Period) -> Response:
    """The statement with the entries that it follows from and their proof. A partner gets those of the agency that owns
    the partnership; no others count. 503 until the closing entry is signed, which takes a second."""
    found = await request.respond(lambda reader: proof_for(reader, partnership_id, period), media_type=ZIP)
    if found.status_code == 200:
        found.headers["Content-Disposition"] = f'attachment; filename="{partnership_id}-{period}.zip"'
    return found


async def proof_for(reader: Reader, partnership_id: str, period: str) -> ReadAnswer[bytes]:
    """Raises `Problem` (403, 404, 429, 503)."""
    statement = await statement_for(replace(reader, format="proof"), partnership_id, period)
    papers, is_for_partner = reader.reads.papers, money_scope(reader.caller).partners is not None
    content = await papers.beside(reader.caller.quota_name, zipped_proof, partnership_id, period, is_for_partner)
    if content is None:
        raise Problem("overloaded", retry_after_s=1)
    return ReadAnswer(content, statement.state)


@read_route(
    routes,
    _OWN + "/statements/{period}/explained/{field}",
    "explained",
    "How a figure of a statement follows",
    "The shape of `yesser ledger explain --json`.",
)
async def explained_figure_for(
    reader: Reader, partnership_id: Id, period: Period, field: Field
) -> ReadAnswer[ExplainedFigure]:
    """Its formula in words and numbers, its transfers, the last 100 entries that changed it. `ok`: they add up."""
    key, check = f"{partnership_id}/{period}/{field}", closed(partnership_id, period)
    found = await explained_for(
        reader, "statements", key, STEPS_MAX, derives=True, consumers=[REVENUE, EVENT_INDEX], check=check
    )
    return ReadAnswer(figure_document(found.document), found.state)


async def _rows_of(reader: Reader, partnership_id: str, query: str, document: type[D]) -> ReadAnswer[list[D]]:
    """The rows of a query about a partnership in scope. Raises `Problem` (403, 404, 503)."""
    scope = money_scope(reader.caller)

    async def question(view: View) -> list[D]:
        tables = await view.use(REVENUE)
        found(await read.partnership(tables, partnership_id, scope))
        return documents_of(document, await tables.fetch(_SQL[query], partnership_id))

    return await reader.read([REVENUE], question)


def closed(partnership_id: str, period: str) -> Check:
    """Refuses (404) a period without a statement."""

    async def check(view: View) -> None:
        try:
            await read.statement(await view.use(REVENUE), partnership_id, period)
        except read.NoStatement:
            raise Problem("not-found") from None

    return check


def _terms_of(text: str) -> Data:
    try:
        terms = orjson.loads(text)
    except ValueError:
        terms = None
    if not isinstance(terms, dict):
        raise bad_parameter("terms", "Give a JSON object with members of the terms, such as bands.")
    return terms
