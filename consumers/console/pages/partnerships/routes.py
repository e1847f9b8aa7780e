"""`/partnerships`: the list, and of each partnership its terms, forecast, accounts, and the pages of a statement: its
working, the explanation of each figure, and its files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from fastapi import APIRouter, Response
from markupsafe import Markup
from msgspec.structs import asdict

from consumers.api.parameters import After, AsOfIndex, Id, Period, checked
from consumers.api.resources.partnerships import (
    FILES,
    partnership_for,
    partnerships_for,
    statement_file_for,
    transfers_for,
)
from consumers.console.page_request import Visit, Visiting, attachment, csv_attachment, only, roles_of
from consumers.console.pages.audit.entry import exact_money, formula_line
from consumers.console.pages.audit.routes import figure_page
from consumers.documents.document import document_of
from consumers.documents.formulas import derived
from consumers.documents.ledger.forecasts import ForecastPeriod
from consumers.documents.ledger.ledger import Account, AccountKind, kind_of
from consumers.documents.ledger.partnerships import (
    LISTED,
    PERIODS,
    ListedPartnership,
    OpenPeriod,
    Partnership,
    PartnershipAndTerms,
    RevenuePeriod,
)
from consumers.documents.ledger.statements import BandShare, Guarantee
from consumers.documents.tables import csv_file
from consumers.explain.ledger.forecast_chart import chart_of
from consumers.explain.ledger.over_http.routes import (
    ZIP,
    KindOfAccount,
    accounts_for,
    closed,
    forecast_for,
    open_periods_for,
    periods_for,
    proof_for,
    working_for,
)
from consumers.explain.statement_formulas import FORMULAS
from consumers.revenue.statements.paper import settled_paid_owed
from consumers.revenue.statements.words import band_text
from events.values.bilingual import Bilingual
from events.values.periods import days_of
from infra.http.problems import Problem

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


def listed(partnerships: Iterable[Partnership], open_periods: Iterable[OpenPeriod]) -> list[ListedPartnership]:
    """Each partnership with its open period."""
    by_id = {row.partnership_id: {**asdict(row), "open_period": row.period} for row in open_periods}
    nothing = {"open_period": None, "expected_halalas": 0, "net_halalas": 0}
    return [
        document_of(
            ListedPartnership,
            {**asdict(own), **by_id.get(own.partnership_id, nothing)},
            partner_id=own.partner.partner_id,
            partner_name=own.partner.name,
        )
        for own in partnerships
    ]


async def partnership_of(visit: Visit, partnership_id: str) -> PartnershipAndTerms:
    return (await partnership_for(visit.reader, partnership_id)).document


def guarantee_formula(guarantee: Guarantee | None) -> Markup:
    """Rate × expected = guaranteed, in riyals."""
    if guarantee is None:
        return Markup("")
    amounts = {"floor_bp": guarantee.partner_floor_bp_of_expected, "expected_halalas": guarantee.expected_halalas}
    name = "guarantee_halalas"
    return formula_line(derived(name, FORMULAS[name], lambda amount: amounts[amount.name]))


@routes.get("/partnerships/{partnership_id}/statements/{period}")
async def statement(visit: Visiting, partnership_id: Id, period: Period) -> Response:
    own = await partnership_of(visit, partnership_id)
    found = await working_for(visit.reader, partnership_id, period)
    working = found.document
    first, last = days_of(period, own.calendar.value)
    return visit.page(
        "partnerships/statement.html",
        own=own,
        period=period,
        first=max(first, own.starts_on),
        last=min(last, own.last_day),
        working=working,
        band=BandShare,
        band_words=band_text,
        exact=lambda halalas: exact_money(visit.words, halalas),
        guarantee_formula=guarantee_formula(working.guarantee),
        files=tuple(FILES),
        owed=settled_paid_owed(sum(one.amount_halalas for one in working.payouts), working.payable_halalas),
        log_index=found.log_index,
    )


@routes.get("/partnerships/{partnership_id}/statements/{period}/files/{name}")
async def statement_file(visit: Visiting, partnership_id: Id, period: Period, name: str) -> Response:
    if name not in FILES:
        raise Problem("not-found")
    content = (await statement_file_for(visit.reader, partnership_id, period, name)).document
    return attachment(content, FILES[name], f"{partnership_id}-{period}.{name}")


@routes.get("/partnerships/{partnership_id}/statements/{period}/proof")
async def proof(visit: Visiting, partnership_id: Id, period: Period) -> Response:
    content = (await proof_for(visit.reader, partnership_id, period)).document
    return attachment(content, ZIP, f"{partnership_id}-{period}.zip")


@routes.get("/partnerships/{partnership_id}/statements/{period}/explain/{field}")
async def explained(
    visit: Visiting, partnership_id: Id, period: Period, field: str, before: AsOfIndex = None
) -> Response:
    if field not in FORMULAS:
        raise Problem("not-found")
    key = f"{partnership_id}/{period}/{field}"
    return await figure_page(visit, "statements", key, before, closed(partnership_id, period))
