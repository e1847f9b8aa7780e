"""`/partnerships/P/what-if`: the real history under other terms, by a form whose address can be shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from fastapi import APIRouter, Response

from consumers.api.parameters import Id, checked
from consumers.console.page_request import Visit, Visiting, csv_attachment, only, roles_of
from consumers.console.pages.partnerships.routes import partnership_of
from consumers.console.web.language import hundredths
from consumers.documents.document import fields
from consumers.documents.formulas import percent_text
from consumers.documents.ledger.forecasts import WHAT_IF, ComparedPeriod, WhatIf
from consumers.documents.tables import csv_file
from consumers.explain.ledger.forecast_chart import round_up
from consumers.explain.ledger.over_http.routes import Terms, what_if_for
from events.values.bilingual import Bilingual
from events.values.data import Data
from events.values.money import BASIS_POINTS, HALALAS_PER_RIYAL, riyals_text
from infra.http.parameters import require_known
from infra.http.problems import Problem

_NOTHING_EXPECTED: Final = Bilingual(
    "ليس في العقد إيراد متوقع، فلا ضمان له. اترك هذه الخانة فارغة.",
    "The contract expects no amounts, so it cannot have a guarantee. Leave this field empty.",
)
_NOT_ACCEPTED: Final = Bilingual("لا تُقبل هذه الشروط:", "These terms are not accepted:")

_BAD_RATE: Final = Bilingual("اكتب نسبة بين 0 و100، مثل 62.5.", "Write a rate from 0 to 100, such as 62.5.")
_BAD_AMOUNT: Final = Bilingual("اكتب مبلغًا بالريال مثل 500000.", "Write an amount in riyals, such as 500000.")
_BAD_ORDER: Final = Bilingual("يجب أن يزيد على حد الشريحة السابقة.", "It must be above the limit of the band before.")
_LEFT: Final = 110
_WIDTH: Final = 900
_RIGHT: Final = 16
_TOP: Final = 20
_MIDDLE: Final = 140
_LABEL_WIDTH: Final = 62

PATHS: Final = ("/partnerships/{partnership_id}/what-if", "/partnerships/{partnership_id}/what-if.csv")

routes = APIRouter(dependencies=[only(roles_of("/partnerships"))])


@routes.get(PATHS[0])
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


@routes.get(PATHS[1])
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
    return (await what_if_for(visit.reader, partnership_id, terms)).document


def refused_terms(rules: str) -> tuple[dict[str, Bilingual], str]:
    """The faults by field, and what no field of the form can mend: the contract's rules, in English with their
    pointers. What a contract expects is not in the form, so only a guarantee can need it."""
    if rules.startswith("/expected: "):
        return {"floor": _NOTHING_EXPECTED}, ""
    return {"bands": _NOT_ACCEPTED}, rules


@dataclass(frozen=True, slots=True)
class Slider:
    """A number with a slider beside it. `value` is as typed; the slider counts whole basis points or riyals."""

    name: str
    value: str
    slider_value: int
    slider_max: int
    slider_step: int
    unit: str


@dataclass(frozen=True, slots=True)
class BandFields:
    """A band: its rate, and where it ends (None: the last one)."""

    rate: Slider
    limit: Slider | None


@dataclass(frozen=True, slots=True)
class OtherTerms:
    """The form. `terms` are what `yesser ledger what-if` takes; `is_given`: somebody changed something."""

    bands: tuple[BandFields, ...]
    floor: Slider
    is_recoverable: bool
    terms: Data
    faults: dict[str, Bilingual]
    is_given: bool


def other_terms(signed: Data, given: Mapping[str, str]) -> OtherTerms:
    """The form of these terms, filled with what was given."""
    faults: dict[str, Bilingual] = {}
    fields, bands, below = [], [], 0
    for number, band in enumerate(signed["bands"]):
        name = f"rate{number}"
        text = given.get(name, percent(band["partner_bp"]))
        rate = _bounded(text, faults, name, _BAD_RATE, BASIS_POINTS)
        limit = None
        if band["up_to_halalas"] is not None:
            limit_name = f"limit{number}"
            limit_text = given.get(limit_name, plain_riyals(band["up_to_halalas"]))
            up_to = _bounded(limit_text, faults, limit_name, _BAD_AMOUNT, None)
            if limit_name not in faults and up_to <= below:
                faults[limit_name] = _BAD_ORDER
            below = up_to
            widest = round_up(2 * max(below, band["up_to_halalas"])) // HALALAS_PER_RIYAL
            limit = Slider(limit_name, limit_text, up_to // HALALAS_PER_RIYAL, widest, max(1, widest // 200), "riyals")
        fields.append(BandFields(Slider(name, text, rate, BASIS_POINTS, 25, "basis-points"), limit))
        bands.append({"up_to_halalas": None if limit is None else below, "partner_bp": rate})
    guarantee = signed["guarantee"]
    floor_text = given.get("floor", "" if guarantee is None else percent(guarantee["partner_floor_bp_of_expected"]))
    floor = _bounded(floor_text, faults, "floor", _BAD_RATE, BASIS_POINTS) if floor_text.strip() else 0
    recoverable = guarantee is not None and guarantee["recoverable"]
    if "form" in given or "recoverable" in given:  # a browser leaves out a box that is not checked
        recoverable = given.get("recoverable") == "yes"
    names = [slider.name for band in fields for slider in (band.rate, band.limit) if slider is not None]
    require_known(given, [*names, "floor", "recoverable", "form"])
    chosen = {"partner_floor_bp_of_expected": floor, "recoverable": recoverable} if floor_text.strip() else None
    return OtherTerms(
        bands=tuple(fields),
        floor=Slider("floor", floor_text, floor, BASIS_POINTS, 25, "basis-points"),
        is_recoverable=recoverable,
        terms={"bands": bands, "guarantee": chosen},
        faults=faults,
        is_given=bool(given),
    )


def percent(basis_points: int) -> str:
    """`7050` as `70.5`, for a field."""
    return percent_text(basis_points).removesuffix("%")


def plain_riyals(halalas: int) -> str:
    """`50000000` as `500000`, for a field."""
    return riyals_text(halalas).replace(",", "").removesuffix(".00")


def _bounded(text: str, faults: dict[str, Bilingual], name: str, fault: Bilingual, most: int | None) -> int:
    """The number in hundredths; 0 with a fault where there is none."""
    found = hundredths(text)
    if found is None or (most is not None and found > most):
        faults[name] = fault
        return 0
    return found


def totals(rows: Sequence[ComparedPeriod]) -> dict[str, int]:
    """The sums of all periods that both histories close, by the names of the columns."""
    both = [row for row in rows if row.partner_difference_halalas is not None]
    names = [field.name for field in fields(ComparedPeriod)][1:]
    return {name: sum(getattr(row, name) for row in both) for name in names}


@dataclass(frozen=True, slots=True)
class Difference:
    """One bar, above the axis for more and below it for less. Places are whole units of the picture."""

    x: int
    y: int
    width: int
    height: int
    party: str


@dataclass(frozen=True, slots=True)
class DifferenceChart:
    """The differences of both parties by period."""

    bars: tuple[Difference, ...]
    labels: tuple[tuple[int, str], ...]
    most: str
    left: int = _LEFT
    width: int = _WIDTH
    top: int = _TOP
    middle: int = _MIDDLE
    bottom: int = 2 * _MIDDLE - _TOP


def difference_chart(rows: Sequence[ComparedPeriod]) -> DifferenceChart:
    """The places of all bars."""
    changes = [(row.partner_difference_halalas or 0, row.treasury_difference_halalas or 0) for row in rows]
    scale = round_up(max([1, *(abs(amount) for pair in changes for amount in pair)]))
    across, count = _WIDTH - _LEFT - _RIGHT, max(1, len(rows))
    every = max(1, -(-_LABEL_WIDTH * count // across))
    bars, labels = [], []
    for number, (row, pair) in enumerate(zip(rows, changes, strict=True)):
        start = _LEFT + across * number // count
        width = max(3, across * 2 // (5 * count))
        for place, (party, amount) in enumerate(zip(("partner", "treasury"), pair, strict=True)):
            height = (_MIDDLE - _TOP) * abs(amount) // scale
            y = _MIDDLE - height if amount > 0 else _MIDDLE
            bars.append(Difference(start + across // (10 * count) + place * width, y, width, height, party))
        if number % every == 0:
            labels.append((start + across // (2 * count), row.period))
    return DifferenceChart(tuple(bars), tuple(labels), riyals_text(scale))
