"""The pages of a statement: its working, the explanation of each figure, and its files."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from consumers.api.parameters import AsOfIndex, Id, Period
from consumers.api.resources.partnerships import FILES, statement_file_for
from consumers.console.page_request import Visiting, attachment
from consumers.console.pages.audit.explain_pages import figure_page
from consumers.console.pages.audit.values import exact_money
from consumers.console.pages.partnerships.shown import guarantee_formula, partnership_of
from consumers.documents.ledger.statements import BandShare
from consumers.explain.ledger.over_http.routes import ZIP, closed, proof_for, working_for
from consumers.explain.statement_formulas import FORMULAS
from consumers.revenue.statements.paper import settled_paid_owed
from consumers.revenue.statements.words import band_text
from events.values.periods import days_of
from infra.http.problems import Problem

routes = APIRouter()


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
