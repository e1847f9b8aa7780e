"""`/plan` and what lies below it: the overview, services, projects, training, awareness, and each table as CSV.

The main part of a page is rendered and kept until the log moves, for all who may see the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse
from msgspec import UNSET

from consumers.api.access import scope_of
from consumers.api.parameters import AgencyCode, checked, known
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.resources.campaigns import coverage_for
from consumers.api.resources.programme import (
    GroupParameter,
    StateParameter,
    project_for,
    projects_for,
    service_for,
    services_for,
)
from consumers.console.page_request import Visit, Visiting, csv_attachment, only, roles_of
from consumers.console.pages.plan.overview import (
    PARTNERSHIPS_SHOWN_MAX,
    Line,
    Moment,
    Overview,
    agencies_behind,
    launches_chart,
    moment_of,
    read_overview,
    steps,
    totals,
)
from consumers.console.web.rendered import Part, rendered_part
from consumers.documents.access_scope import EVERYTHING
from consumers.documents.campaigns.campaigns import AgencyCoverage, Channel, ServiceCoverage
from consumers.documents.programme.directory import (
    HISTORY,
    PROJECTS,
    SERVICES,
    Project,
    ProjectKind,
    Service,
    ServiceState,
    Step,
)
from consumers.documents.programme.plan import AGENCIES, PARTNERSHIPS, TRAINING, Group, Training
from consumers.documents.tables import csv_file
from consumers.programme.campaigns.show import coverage_csv
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from events.values.bilingual import Bilingual
from infra.command_line.table_files import csv_text
from infra.http.problems import Problem

Context = Mapping[str, Any]


async def show(
    visit: Visit, template: str, title: str, context: Callable[[Reader], Awaitable[Context]], *, live: bool = True
) -> HTMLResponse:
    """The page with this template as its main part; `context` reads what the template shows.

    A context may have the `status` of the answer, and a `title` in place of this one.
    """
    url, scope = visit.request.url, scope_of(visit.caller)

    async def render() -> Part:
        rights = {"opens_entries": visit.opens_entries, "sees_everything": scope == EVERYTHING}
        given = {**rights, **await context(visit.reader)}
        html = visit.parts.templates.part(template, visit.words, given)
        return rendered_part(html, given.get("status", 200), given.get("title", title))

    key = (url.path, url.query, visit.words.language, scope, visit.opens_entries)
    part = await visit.parts.rendered.part(key, render)
    asked = visit.request.headers
    if "x-live" in asked and "gzip" in asked.get("accept-encoding", "") and part.since is None:
        headers = {"Content-Encoding": "gzip", "Content-Language": visit.words.language}
        return HTMLResponse(part.packed, part.status, headers)
    return visit.page("plan/page.html", part.status, title=part.title, part=part.html, since=part.since, live=live)


routes = APIRouter(dependencies=[only(roles_of("/plan"))])

_TITLE: Final = Bilingual("الخطة الخمسية", "The five-year plan")
AsOf = Annotated[str, Query(max_length=64)]


PAGE_ROWS: Final = 50
PROJECT_ROWS: Final = 100
"""Of both kinds, so that a plan's projects are on one page."""
FILE_ROWS_MAX: Final = 50_000

Name = Annotated[str, Path(max_length=128)]
Cursor = Annotated[str | None, Query(max_length=1_024)]
Text = Annotated[str, Query(max_length=64)]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filters of the service directory, as they are in the address; "" for all."""

    agency: str = ""
    group: str = ""
    state: str = ""

    def given(self) -> dict[str, str]:
        found = {"agency": self.agency.strip(), "group": self.group, "state": self.state}
        return {name: value for name, value in found.items() if value}

    def checked(self) -> tuple[str | None, int | None, ServiceState | None]:
        """Raises `Problem` (422) for what cannot be an agency, a group or a state."""
        agency, group = checked(AgencyCode, self.agency.strip()), checked(GroupParameter, self.group)
        return agency, group, checked(StateParameter, self.state)

    def address(self, path: str, **more: str) -> str:
        """An address with the same filters."""
        asked = {**self.given(), **more}
        return f"{path}?{urlencode(asked)}" if asked else path


@routes.get("/plan/services")
async def services(
    visit: Visiting, agency: Text = "", group: Text = "", state: Text = "", after: Cursor = None
) -> HTMLResponse:
    """The service directory."""
    chosen = Chosen(agency, group, state)

    async def context(reader: Reader) -> Context:
        summary = await read_overview(reader, Moment(), partnerships_max=0)
        given = {"chosen": chosen, "summary": summary, "states": ServiceState, "groups": Group, "document": Service}
        try:
            found = await services_for(reader, *chosen.checked(), PAGE_ROWS, after)
        except Problem as error:
            if error.status != 422:
                raise
            return {**given, "rows": [], "next": None, "csv": None, "fault": True, "status": 422}
        return {
            **given,
            "rows": found.document,
            "next": found.next and chosen.address("/plan/services", after=found.next),
            "is_first": after is None,
            "csv": chosen.address("/plan/services.csv"),
            "fault": False,
        }

    return await show(visit, "plan/services.html", visit.words.of(SERVICES), context)


@routes.get("/plan/services.csv")
async def services_file(visit: Visiting, agency: Text = "", group: Text = "", state: Text = "") -> Response:
    rows = await visit.all_rows(services_for, *Chosen(agency, group, state).checked(), rows_max=FILE_ROWS_MAX)
    return csv_attachment(csv_file(SERVICES, rows), "services.csv")


@routes.get("/plan/services/{service_id}")
async def service(visit: Visiting, service_id: Name) -> HTMLResponse:
    return await _one(visit, "service", service_id, service_for)


@routes.get("/plan/projects")
async def projects(visit: Visiting, after: Cursor = None) -> HTMLResponse:
    """Infrastructure projects and national applications, by phase."""

    async def context(reader: Reader) -> Context:
        found = await projects_for(reader, PROJECT_ROWS, after)
        return {
            "rows": {kind: [row for row in found.document if row.kind is kind] for kind in ProjectKind},
            "document": Project,
            "next": found.next and f"/plan/projects?{urlencode({'after': found.next})}",
            "is_first": after is None,
        }

    return await show(visit, "plan/projects.html", visit.words.of(PROJECTS), context)


@routes.get("/plan/projects.csv")
async def projects_file(visit: Visiting) -> Response:
    rows = await visit.all_rows(projects_for, rows_max=FILE_ROWS_MAX)
    return csv_attachment(csv_file(PROJECTS, rows), "projects.csv")


@routes.get("/plan/projects/{project_id}")
async def project(visit: Visiting, project_id: Name) -> HTMLResponse:
    return await _one(visit, "project", project_id, project_for)


async def _one(
    visit: Visit, kind: str, id_: str, read: Callable[[Reader, str], Awaitable[ReadAnswer[Any]]]
) -> HTMLResponse:
    """A service or a project, and what happened to it."""

    async def context(reader: Reader) -> Context:
        found = (await read(reader, known(id_))).document
        return {"title": visit.words.of(found.name), kind: found, "document": type(found), "step_document": Step}

    return await show(visit, f"plan/{kind}.html", id_, context)


@routes.get("/plan/{kind}/{name}/history.csv")
async def history_file(visit: Visiting, kind: Literal["services", "projects"], name: Name) -> Response:
    one_for: Any = {"services": service_for, "projects": project_for}[kind]
    return csv_attachment(csv_file(HISTORY, (await one_for(visit.reader, known(name))).document.history), "history.csv")


@routes.get("/plan/training")
async def training(visit: Visiting) -> HTMLResponse:
    """Training by year and track against its quota."""

    async def context(reader: Reader) -> Context:
        return {"summary": await read_overview(reader, Moment(), partnerships_max=0), "document": Training}

    return await show(visit, "plan/training.html", visit.words.of(TRAINING), context)


@routes.get("/plan/awareness")
async def awareness(visit: Visiting, agency: Text = "", after: Cursor = None) -> HTMLResponse:
    """What was aired about the launched services, and what was not."""
    chosen = Chosen(agency)

    async def context(reader: Reader) -> Context:
        try:
            found = await coverage_for(reader, chosen.checked()[0], unaired=True, limit=PAGE_ROWS, after=after)
        except Problem as error:
            if error.status not in (403, 422):
                raise
            return {"chosen": chosen, "coverage": None, "next": None, "csv": None, "status": error.status}
        return {
            "chosen": chosen,
            "coverage": found.document,
            "agency_document": AgencyCoverage,
            "channels": Channel,
            "own": visit.caller.holder if visit.caller.kind == "agency" else None,
            "next": found.next and chosen.address("/plan/awareness", after=found.next),
            "csv": chosen.address("/plan/awareness.csv"),
        }

    return await show(visit, "plan/awareness.html", visit.words.say("التوعية", "Awareness"), context)


@routes.get("/plan/awareness.csv")
async def awareness_file(visit: Visiting, agency: Text = "") -> Response:
    services = await covered_services(visit, Chosen(agency).checked()[0])
    return csv_attachment(coverage_csv(services), "awareness.csv")


async def covered_services(visit: Visit, agency: str | None, *, unaired: bool = False) -> list[ServiceCoverage]:
    """Every launched service, or those of an agency, at most `FILE_ROWS_MAX`."""

    async def page(reader: Reader, limit: int, after: str | None) -> ReadAnswer[list[ServiceCoverage]]:
        found = await coverage_for(reader, agency, unaired, limit, after)
        return ReadAnswer([*found.document.services], found.state, found.next)

    return await visit.all_rows(page, rows_max=FILE_ROWS_MAX)


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
