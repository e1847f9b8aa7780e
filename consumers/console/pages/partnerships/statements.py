"""The pages of a statement: its working, the derivation of each figure, and its files."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from fastapi.responses import Response

from consumers.api.parameters import Id, Period
from consumers.api.resources.statements import FILES, statement_file_for
from consumers.console.pages.audit.values import shown
from consumers.console.pages.partnerships.shown import (
    exact_money,
    guarantee_formula,
    left_to_right,
    partnership_of,
)
from consumers.console.visit import Visiting, attachment
from consumers.documents.ledger.ledger import kind_of
from consumers.documents.ledger.statements import BandShare
from consumers.explain.ledger.over_http.routes import explained_for, working_for
from consumers.revenue.statements.formulas import amount_text, fields, label
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
        log_index=found.log_index,
    )


@routes.get("/partnerships/{partnership_id}/statements/{period}/files/{name}")
async def statement_file(visit: Visiting, partnership_id: Id, period: Period, name: str) -> Response:
    if name not in FILES:
        raise Problem("not-found")
    content = (await statement_file_for(visit.reader, partnership_id, period, name)).document
    return attachment(content, FILES[name], f"{partnership_id}-{period}.{name}")


@routes.get("/partnerships/{partnership_id}/statements/{period}/explain/{field}")
async def explained(visit: Visiting, partnership_id: Id, period: Period, field: str) -> Response:
    if field not in fields():
        raise Problem("not-found")
    own = await partnership_of(visit, partnership_id)
    found = (await explained_for(visit.reader, partnership_id, period, field)).document
    return visit.page(
        "partnerships/figure.html",
        own=own,
        period=period,
        field=field,
        found=found,
        name_of=label,
        shares=found.shares or (),
        transfers=found.transfers,
        band=BandShare,
        amount=partial(shown, visit.words),
        formula=left_to_right(f"{found.formula.numbers} = {amount_text(field, found.value)}"),
        band_words=band_text,
        exact=lambda halalas: exact_money(visit.words, halalas),
        kind_of=kind_of,
    )
