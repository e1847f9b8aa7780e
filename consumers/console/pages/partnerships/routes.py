"""`/partnerships`: the list, and of each partnership its terms, forecast and accounts."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from consumers.console.navigation import roles_of
from consumers.console.pages.partnerships import reconciliation, statements, what_if
from consumers.console.pages.partnerships.shown import Row, after_of, listed, partnership_of
from consumers.console.visit import Visit, Visiting, attachment, only
from consumers.documents.document import document_of, documents_of
from consumers.documents.forecasts import Forecast, ForecastPeriod
from consumers.documents.ledger import Account, AccountKind, Transfer, kind_of
from consumers.documents.partnerships import LISTED, Partnership
from consumers.documents.periods import PERIODS, RevenuePeriod
from consumers.documents.tables import csv_file
from consumers.ledger.forecast_chart import chart_of
from consumers.read_api.parameters import After, Id

_PAGE_ROWS: Final = 50
_FILE_ROWS: Final = 1_000

routes = APIRouter(dependencies=[only(roles_of("/partnerships"))])


@routes.get("/partnerships")
async def partnerships(visit: Visiting, after: After = None) -> Response:
    known = await visit.read("/v1/partnerships", limit=_PAGE_ROWS, after=after)
    periods = await visit.read("/v1/open-periods", limit=_PAGE_ROWS, after=after)
    return visit.page(
        "partnerships/list.html",
        rows=listed(known.document, periods.document),
        next=after_of(known.next),
        after=after,
        live=after is None,
    )


@routes.get("/partnerships.csv")
async def partnerships_file(visit: Visiting) -> Response:
    rows = listed(await _all_rows(visit, "/v1/partnerships"), await _all_rows(visit, "/v1/open-periods"))
    return attachment(csv_file(LISTED, rows).encode(), "text/csv; charset=utf-8", "partnerships.csv")


async def _all_rows(visit: Visit, path: str) -> list[Row]:
    """Every page of a list."""
    found = await visit.read(path, limit=_FILE_ROWS)
    rows: list[Row] = [*found.document]
    while after := after_of(found.next):
        found = await visit.read(path, limit=_FILE_ROWS, after=after)
        rows += found.document
    return rows


@routes.get("/partnerships/{partnership_id}")
async def partnership(visit: Visiting, partnership_id: Id) -> Response:
    own = await partnership_of(visit, partnership_id)
    periods = await _periods(visit, partnership_id)
    accounts = await visit.read(f"/v1/partnerships/{partnership_id}/accounts")
    return visit.page(
        "partnerships/partnership.html",
        own=own,
        periods=periods,
        chart=chart_of(periods),
        accounts=documents_of(Account, accounts.document),
        documents={"partnership": Partnership, "period": RevenuePeriod},
        tab="terms",
        live=True,
    )


@routes.get("/partnerships/{partnership_id}/periods.csv")
async def periods_file(visit: Visiting, partnership_id: Id) -> Response:
    text = csv_file(PERIODS, await _periods(visit, partnership_id))
    return attachment(text.encode(), "text/csv; charset=utf-8", f"{partnership_id}-periods.csv")


async def _periods(visit: Visit, partnership_id: str) -> list[RevenuePeriod]:
    return documents_of(RevenuePeriod, (await visit.read(f"/v1/partnerships/{partnership_id}/periods")).document)


@routes.get("/partnerships/{partnership_id}/forecast")
async def forecast(visit: Visiting, partnership_id: Id) -> Response:
    own = await partnership_of(visit, partnership_id)
    found = await visit.read(f"/v1/partnerships/{partnership_id}/forecast")
    forecast = document_of(Forecast, found.document)
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
    base = f"/v1/partnerships/{partnership_id}"
    own = await partnership_of(visit, partnership_id)
    accounts = await visit.read(f"{base}/accounts")
    path = f"{base}/transfers" if kind is None else f"{base}/accounts/{kind}/transfers"
    found = await visit.read(path, limit=_PAGE_ROWS, after=after)
    return visit.page(
        "partnerships/ledger.html",
        own=own,
        accounts=documents_of(Account, accounts.document),
        kind=None if kind is None else AccountKind(kind),
        kind_of=kind_of,
        transfers=documents_of(Transfer, found.document if kind is not None else found.document["transfers"]),
        next=after_of(found.next),
        after=after,
        tab="ledger",
    )


for further in (statements, what_if, reconciliation):
    routes.include_router(further.routes)
