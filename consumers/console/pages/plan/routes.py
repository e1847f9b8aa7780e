"""`/plan` and what lies below it: pages, and each table as CSV."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from consumers.console.navigation import roles_of
from consumers.console.pages.plan import tables
from consumers.console.pages.plan.chart import launches_chart, totals
from consumers.console.pages.plan.details import details
from consumers.console.pages.plan.glance import PARTNERSHIPS_SHOWN_MAX, agencies_behind
from consumers.console.pages.plan.moment import Moment, moment_of, steps
from consumers.console.pages.plan.reading import read_glance
from consumers.console.pages.plan.shown import Context, show
from consumers.console.visit import Visit, Visiting, csv_attachment, only
from consumers.documents.programme.plan import AGENCIES, PARTNERSHIPS, TRAINING
from consumers.documents.tables import csv_file
from consumers.projections.consumer import CONSUMER as PROJECTIONS
from infra.http.problems import Problem

routes = APIRouter(dependencies=[only(roles_of("/plan"))])
routes.include_router(details)

_TITLE: Final = ("الخطة الخمسية", "The five-year plan")
AsOf = Annotated[str, Query(max_length=64)]


@routes.get("/plan")
async def plan(visit: Visiting, as_of_index: AsOf = "", as_of_recorded: AsOf = "") -> HTMLResponse:
    """The plan at a glance."""
    moment = moment_of(as_of_index, as_of_recorded)

    async def context() -> Context:
        return await _glance_context(visit, moment)

    return await show(visit, "plan/glance.html", visit.words.say(*_TITLE), context, live=moment.is_now)


async def _glance_context(visit: Visit, moment: Moment) -> Context:
    # what other read models have not read hides nothing here; the pace has no state that `projections` has not read
    size = dict(await visit.parts.live.positions()).get(PROJECTIONS.name, 0)
    fault: str | None = moment.fault
    if moment.index is not None and moment.index > size:
        fault = "past-end"
    partnerships_max = PARTNERSHIPS_SHOWN_MAX if visit.opens_entries else 0
    found = await read_glance(visit, Moment() if fault else moment, partnerships_max)
    shown, is_now = found, moment.is_now or fault is not None
    if moment.recorded and not fault and shown.pace.recorded and shown.index >= size:
        fault = "newest" if moment.recorded > shown.pace.recorded else None
    newest = shown.index if is_now else max(size, shown.index)
    return {
        "shown": shown,
        "chart": launches_chart(shown.pace, shown.services.target),
        "moment": moment,
        "fault": fault,
        "is_now": is_now,
        "size": max(size, shown.index),
        "steps": steps(shown.index, newest),
        "status": 422 if fault in ("index", "time", "both", "past-end") else 200,
    }


@routes.get("/plan/{table}.csv")
async def table(visit: Visiting, table: str, as_of_index: AsOf = "", as_of_recorded: AsOf = "") -> Response:
    """A table of the page as a file."""
    if table == "partnerships" and not visit.opens_entries:
        raise Problem("forbidden")
    moment = moment_of(as_of_index, as_of_recorded)
    shown = await read_glance(visit, Moment() if moment.fault else moment)
    text = {
        "figures": lambda: tables.figures_csv(shown),
        "agencies": lambda: csv_file(AGENCIES, agencies_behind(shown.pace.agencies)),
        "launches": lambda: tables.launches_csv(totals(shown.pace.launches)),
        "partnerships": lambda: csv_file(PARTNERSHIPS, shown.plan.partnerships),
        "training": lambda: csv_file(TRAINING, shown.plan.training),
    }.get(table)
    if text is None:
        raise Problem("not-found")
    return csv_attachment(text(), f"{table}.csv")
