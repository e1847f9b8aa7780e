"""`/plan` and what lies below it: pages, and each table as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse
from msgspec import UNSET

from consumers.api.reader import Reader
from consumers.console.navigation import roles_of
from consumers.console.page_request import Visiting, csv_attachment, only
from consumers.console.pages.plan.chart import launches_chart, totals
from consumers.console.pages.plan.details import details
from consumers.console.pages.plan.moment import Moment, moment_of, steps
from consumers.console.pages.plan.overview import PARTNERSHIPS_SHOWN_MAX, Line, Overview, agencies_behind, read_overview
from consumers.console.pages.plan.page import Context, show
from consumers.documents.programme.plan import AGENCIES, PARTNERSHIPS, TRAINING
from consumers.documents.tables import csv_file
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from events.values.bilingual import Bilingual
from infra.command_line.table_files import csv_text
from infra.http.problems import Problem

routes = APIRouter(dependencies=[only(roles_of("/plan"))])
routes.include_router(details)

_TITLE: Final = Bilingual("الخطة الخمسية", "The five-year plan")
AsOf = Annotated[str, Query(max_length=64)]


@routes.get("/plan")
async def plan(visit: Visiting, as_of_index: AsOf = "", as_of_recorded: AsOf = "", by: AsOf = "") -> HTMLResponse:
    """The overview of the plan."""
    moment = moment_of(as_of_index, as_of_recorded, by)

    partnerships_max = 0  # nothing of money is read for somebody who may not see it
    if visit.opens_entries:
        partnerships_max = PARTNERSHIPS_SHOWN_MAX

    async def context(reader: Reader) -> Context:
        size = dict(await visit.parts.live.positions()).get(PROJECTIONS.name, 0)
        return await overview_context(reader, moment, size, partnerships_max)

    return await show(visit, "plan/overview.html", visit.words.of(_TITLE), context, live=moment.is_now)


async def overview_context(reader: Reader, moment: Moment, size: int, partnerships_max: int) -> Context:
    """What the page shows. `size`: the number of entries that `projections` has read. The pace has no later state,
    and what other read models have not read yet hides nothing on this page."""
    fault: str | None = moment.fault
    if moment.index is not None and moment.index > size:
        fault = "past-end"
    shown = await read_overview(reader, Moment() if fault else moment, partnerships_max)
    is_now = moment.is_now or fault is not None
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
async def table(
    visit: Visiting, table: str, as_of_index: AsOf = "", as_of_recorded: AsOf = "", by: AsOf = ""
) -> Response:
    """A table of the page as a file."""
    if table == "partnerships" and not visit.opens_entries:
        raise Problem("forbidden")
    moment = moment_of(as_of_index, as_of_recorded, by)
    shown = await read_overview(visit.reader, Moment() if moment.fault else moment)
    text = {
        "figures": lambda: figures_csv(shown),
        "agencies": lambda: csv_file(AGENCIES, agencies_behind(shown.pace.agencies)),
        "launches": lambda: csv_text(("month", "launched", "total"), totals(shown.pace.launches)),
        "partnerships": lambda: csv_file(PARTNERSHIPS, shown.plan.partnerships),
        "training": lambda: csv_file(TRAINING, shown.plan.training),
    }.get(table)
    if text is None:
        raise Problem("not-found")
    return csv_attachment(text(), f"{table}.csv")


def figures_csv(shown: Overview) -> str:
    """Every figure of the plan against its target, and against an even pace."""
    columns = ("figure_ar", "figure_en", "done", "target", "expected_by_now", "behind", "log_index")
    return csv_text(columns, (_line(line, shown.index) for line in _lines(shown)))


def _lines(shown: Overview) -> Iterator[Line]:
    yield from (shown.infrastructure, shown.applications, shown.services)
    yield from (line for line, _ in shown.groups)
    yield from (line for _, _, rows in shown.training for line, _ in rows)
    if shown.plan.not_judged is UNSET:
        yield from (*shown.awareness, shown.everywhere)


def _line(line: Line, index: int) -> tuple[int | str | None, ...]:
    return (line.full.ar, line.full.en, line.done, line.target, line.expected, line.behind, index)
