"""`/partnerships/P/what-if`: the real history under other terms, by a form whose address can be shared."""

from __future__ import annotations

from typing import Final

import orjson
from fastapi import APIRouter
from fastapi.responses import Response

from consumers.console.pages.partnerships.other_terms import OtherTerms, difference_chart, other_terms, totals
from consumers.console.pages.partnerships.shown import partnership_of
from consumers.console.visit import Visit, Visiting, csv_attachment
from consumers.documents.ledger.forecasts import WHAT_IF, ComparedPeriod, WhatIf
from consumers.documents.tables import csv_file
from consumers.ledger.over_http.routes import Terms, what_if_for
from consumers.read_api.parameters import Id, checked
from events.faults.problems import Bilingual
from infra.http.problems import Problem

_NOTHING_EXPECTED: Final = Bilingual(
    "ليس في العقد إيراد متوقع، فلا ضمان له. اترك هذه الخانة فارغة.",
    "The contract expects no amounts, so it cannot have a guarantee. Leave this field empty.",
)
_NOT_ACCEPTED: Final = Bilingual("لا تُقبل هذه الشروط:", "These terms are not accepted:")

routes = APIRouter()


@routes.get("/partnerships/{partnership_id}/what-if")
async def what_if(visit: Visiting, partnership_id: Id) -> Response:
    own = await partnership_of(visit, partnership_id)
    form = other_terms(own.versions[0].terms, visit.request.query_params)
    found, faults, reason = None, form.faults, ""
    if form.is_given and not faults:
        try:
            found = await _priced(visit, partnership_id, form)
        except Problem as error:
            if error.status != 422:
                raise
            faults, reason = refused_terms("; ".join(fault["detail"] for fault in error.errors))
    rows = () if found is None else found.periods
    return visit.page(
        "partnerships/what-if.html",
        422 if faults else 200,
        own=own,
        form=form,
        faults=faults,
        reason=reason,
        found=found,
        rows=rows,
        document=ComparedPeriod,
        totals=totals(rows),
        chart=difference_chart(rows),
        query=visit.request.url.query,
        tab="what-if",
    )


@routes.get("/partnerships/{partnership_id}/what-if.csv")
async def what_if_file(visit: Visiting, partnership_id: Id) -> Response:
    own = await partnership_of(visit, partnership_id)
    form = other_terms(own.versions[0].terms, visit.request.query_params)
    if form.faults or not form.is_given:
        raise Problem("bad-parameter")
    found = await _priced(visit, partnership_id, form)
    text = csv_file(WHAT_IF, found.periods)
    return csv_attachment(text, f"{partnership_id}-what-if.csv")


async def _priced(visit: Visit, partnership_id: str, form: OtherTerms) -> WhatIf:
    terms = checked(Terms, orjson.dumps(form.terms).decode())
    return (await visit.ask(what_if_for, partnership_id, terms)).document


def refused_terms(rules: str) -> tuple[dict[str, Bilingual], str]:
    """The faults by field, and what no field of the form can mend: the contract's rules, in English with their
    pointers. What a contract expects is not in the form, so only a guarantee can need it."""
    if rules.startswith("/expected: "):
        return {"floor": _NOTHING_EXPECTED}, ""
    return {"bands": _NOT_ACCEPTED}, rules
