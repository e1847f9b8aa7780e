"""`/explain/MODEL/KEY/FIELD`: how a figure follows, and the entries behind it."""

from __future__ import annotations

import shlex
from functools import partial
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Path, Response
from fastapi.responses import HTMLResponse

from consumers.api.parameters import AsOfIndex
from consumers.console.data.read_api import changed_row_of
from consumers.console.page_request import Visit, Visiting
from consumers.console.pages.audit.entry import change, exact_money, formula_line, shown, verifier_of
from consumers.documents.ledger.ledger import kind_of
from consumers.documents.ledger.statements import BandShare
from consumers.documents.log.explanations import Explanation, Step
from consumers.explain import figure_names as names
from consumers.explain.over_http.access import PROGRAMME, partnership_of
from consumers.explain.over_http.answers import Check, explained_for, split_figure
from consumers.explain.shown_models import models
from consumers.revenue.statements.words import band_text
from infra.http.problems import Problem

PAGE_STEPS: Final = 20
_KEY_MAX: Final = 400
TERMS_MAX: Final = 8
"""Terms of a sum that are written out."""

routes = APIRouter()


@routes.get("/explain/{model}/{key:path}")
async def explain(
    visit: Visiting,
    model: Annotated[str, Path(max_length=64)],
    key: Annotated[str, Path(max_length=_KEY_MAX)],
    before: AsOfIndex = None,
) -> Response:
    if not visit.opens_entries and (model not in PROGRAMME or partnership_of(model, key) is not None):
        raise Problem("forbidden")
    return await figure_page(visit, model, key, before)


async def figure_page(
    visit: Visit, model: str, key: str, before: int | None = None, check: Check | None = None
) -> Response:
    """Why a figure is what it is; `key`: KEY or KEY/FIELD."""
    try:
        asked = explained_for(visit.reader, model, key, PAGE_STEPS, before, derives=True, check=check)
        found = (await asked).document
    except Problem as error:
        shown_instead = _not_explained(visit, error, model, key)
        if shown_instead is None:
            raise
        return shown_instead
    document, derivation = found.document, found.derivation
    derived = None if document.field is None else derivation.figures.get(document.field)
    earlier, verifier = document.before, verifier_of(visit.parts.settings)
    address = quote(visit.request.url.path)
    return visit.page(
        "audit/explain.html",
        heading=_heading(visit, model, document.key, document.field),
        document=document,
        step_document=Step,
        derivation=derivation,
        derived=derived,
        formula="" if derived is None else formula_line(derived),
        shares=derivation.shares if document.field == "partner_base_halalas" else (),
        band=BandShare,
        band_words=band_text,
        exact=partial(exact_money, visit.words),
        kind_of=kind_of,
        terms=terms_of(document) if before is None else None,
        show=partial(shown, visit.words),
        change=partial(change, visit.words),
        name_of=partial(names.field_name, model),
        address=address,
        figure_address=f"/explain/{quote(model, safe='')}/{quote(document.key)}",
        before=before,
        earlier_page=None if earlier is None else f"{address}?before={earlier}",
        vkey=None if verifier is None else verifier.vkey,
    )


def _heading(visit: Visit, model: str, key: str, field: str | None) -> dict[str, object]:
    """What a page about a figure says first. `command` gives the same answer."""
    title, rest = names.title_of(model, key)
    label = None if field is None else names.field_name(model, field)
    words = visit.words
    plain = " ".join(filter(None, (words.of(title) if title else model, rest, words.of(label) if label else field)))
    command = shlex.join(["yesser", "audit", "explain", model, key, *([] if field is None else [field])])
    names_of_figure = {"model": model, "title": title, "rest": rest, "field": field, "figure_name": label}
    return {**names_of_figure, "plain": plain, "command": command}


def terms_of(document: Explanation) -> list[int] | None:
    """The changes of a number, if one figure is explained and has few enough steps, all of them known; else None."""
    field = document.field
    if field is None or document.earlier is not None or len(document.steps) > TERMS_MAX:
        return None
    amounts = [step.changes[field].amount for step in document.steps]
    terms = [amount for amount in amounts if amount is not None]
    return terms if terms and len(terms) == len(amounts) else None


def _not_explained(visit: Visit, error: Problem, model: str, path: str) -> HTMLResponse | None:
    """A page for a figure that a changed entry, or too much work, keeps from being explained; else None."""
    changed = changed_row_of(error.errors)
    found = models().get(model)
    if found is None or (changed is None and error.code not in ("overloaded", "too-many-requests")):
        return None
    index = None if changed is None or "id" not in changed else int(changed["id"])
    return visit.page(
        "audit/not-explained.html",
        error.status,
        heading=_heading(visit, model, *split_figure(found, path)),
        is_changed=changed is not None,
        index=index,
    )
