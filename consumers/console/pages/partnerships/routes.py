"""`/partnerships`: the list, and of each partnership its terms, forecast and accounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fastapi import APIRouter, Response

from consumers.api.parameters import After, Id, checked
from consumers.api.resources.partnerships import partnerships_for, transfers_for
from consumers.console.page_request import Visit, Visiting, csv_attachment, only, roles_of
from consumers.console.pages.partnerships import reconciliation, statements, what_if
from consumers.console.pages.partnerships.statements import listed, partnership_of
from consumers.documents.ledger.forecasts import ForecastPeriod
from consumers.documents.ledger.ledger import Account, AccountKind, kind_of
from consumers.documents.ledger.partnerships import LISTED, PERIODS, Partnership, RevenuePeriod
from consumers.documents.tables import csv_file
from consumers.explain.ledger.forecast_chart import chart_of
from consumers.explain.ledger.over_http.routes import (
    KindOfAccount,
    accounts_for,
    forecast_for,
    open_periods_for,
    periods_for,
)
from consumers.revenue.statements.paper import settled_paid_owed
from events.values.bilingual import Bilingual

_PAGE_ROWS: Final = 50

routes = APIRouter(dependencies=[only(roles_of("/partnerships"))])


@routes.get("/partnerships")
async def partnerships(visit: Visiting, after: After = None) -> Response:
    known = await partnerships_for(visit.reader, _PAGE_ROWS, after)
    periods = await open_periods_for(visit.reader, _PAGE_ROWS, after)
    return visit.page(
        "partnerships/list.html",
        rows=listed(known.document, periods.document),
        next=known.next,
        after=after,
        live=after is None,
    )


@routes.get("/partnerships.csv")
async def partnerships_file(visit: Visiting) -> Response:
    rows = listed(await visit.all_rows(partnerships_for), await visit.all_rows(open_periods_for))
    return csv_attachment(csv_file(LISTED, rows), "partnerships.csv")


@routes.get("/partnerships/{partnership_id}")
async def partnership(visit: Visiting, partnership_id: Id) -> Response:
    own = await partnership_of(visit, partnership_id)
    periods = await _periods(visit, partnership_id)
    accounts = await accounts_for(visit.reader, partnership_id)
    return visit.page(
        "partnerships/partnership.html",
        own=own,
        periods=periods,
        chart=chart_of(periods),
        accounts=accounts.document,
        owed=_owed(own, accounts.document),
        documents={"partnership": Partnership, "period": RevenuePeriod},
        tab="terms",
        live=True,
    )


def _owed(own: Partnership, accounts: Sequence[Account]) -> Iterator[tuple[Bilingual, int]]:
    """How what is owed and what is accrued follow."""
    balances = {account.kind: account.balance_halalas for account in accounts}
    paid, accrued = -balances.get(AccountKind.CASH, 0), -balances.get(AccountKind.PARTNER_PAYABLE, 0)
    return settled_paid_owed(paid, own.payable_halalas, accrued)


@routes.get("/partnerships/{partnership_id}/periods.csv")
async def periods_file(visit: Visiting, partnership_id: Id) -> Response:
    text = csv_file(PERIODS, await _periods(visit, partnership_id))
    return csv_attachment(text, f"{partnership_id}-periods.csv")


async def _periods(visit: Visit, partnership_id: str) -> list[RevenuePeriod]:
    return (await periods_for(visit.reader, partnership_id)).document


@routes.get("/partnerships/{partnership_id}/forecast")
async def forecast(visit: Visiting, partnership_id: Id) -> Response:
    own = await partnership_of(visit, partnership_id)
    found = await forecast_for(visit.reader, partnership_id)
    forecast = found.document
    return visit.page(
        "partnerships/forecast.html",
        own=own,
        forecast=forecast,
        document=ForecastPeriod,
        chart=chart_of(forecast.periods),
        log_index=found.log_index,
        tab="forecast",
    )


@routes.get("/partnerships/{partnership_id}/ledger")
async def ledger(visit: Visiting, partnership_id: Id, after: After = None) -> Response:
    return await _transfers(visit, partnership_id, None, after)


@routes.get("/partnerships/{partnership_id}/ledger/{kind}")
async def account(visit: Visiting, partnership_id: Id, kind: str, after: After = None) -> Response:
    return await _transfers(visit, partnership_id, kind, after)


async def _transfers(visit: Visiting, partnership_id: str, kind: str | None, after: str | None) -> Response:
    """The accounts, and a page of the transfers of one of them or of all."""
    own = await partnership_of(visit, partnership_id)
    accounts = await accounts_for(visit.reader, partnership_id)
    chosen = None if kind is None else checked(KindOfAccount, kind)
    found = await transfers_for(visit.reader, partnership_id, _PAGE_ROWS, after, chosen)
    return visit.page(
        "partnerships/ledger.html",
        own=own,
        accounts=accounts.document,
        kind=None if chosen is None else AccountKind(chosen),
        kind_of=kind_of,
        transfers=found.document,
        next=found.next,
        after=after,
        tab="ledger",
    )


for further in (statements, what_if, reconciliation):
    routes.include_router(further.routes)
