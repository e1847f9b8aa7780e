"""The pages behind the plan's figures: services, projects, training, awareness; and their tables as CSV."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse

from consumers.campaigns.coverage.show import coverage_csv
from consumers.console.pages.plan.lists import FILE_ROWS_MAX, PAGE_ROWS, PROJECT_ROWS, Chosen, covered_services
from consumers.console.pages.plan.moment import Moment
from consumers.console.pages.plan.reading import read_glance
from consumers.console.pages.plan.shown import Context, show
from consumers.console.visit import Visiting, csv_attachment
from consumers.documents.campaigns.campaigns import Channel
from consumers.documents.programme.history import HISTORY
from consumers.documents.programme.plan import TRAINING, Group, Training
from consumers.documents.programme.projects import PROJECTS, Project, ProjectKind
from consumers.documents.programme.services import SERVICES, Service, ServiceState
from consumers.documents.tables import csv_file
from consumers.read_api.parameters import known
from consumers.read_api.resources.coverage import coverage_for
from consumers.read_api.resources.projects import project_for, projects_for
from consumers.read_api.resources.services import service_for, services_for
from infra.http.problems import Problem

details = APIRouter()

Name = Annotated[str, Path(max_length=128)]
Cursor = Annotated[str | None, Query(max_length=1_024)]
Text = Annotated[str, Query(max_length=64)]


@details.get("/plan/services")
async def services(
    visit: Visiting, agency: Text = "", group: Text = "", state: Text = "", after: Cursor = None
) -> HTMLResponse:
    """The service directory."""
    chosen = Chosen(agency, group, state)

    async def context() -> Context:
        summary = await read_glance(visit, Moment(), partnerships_max=0)
        given = {"chosen": chosen, "summary": summary, "states": ServiceState, "groups": Group, "document": Service}
        try:
            found = await visit.ask(services_for, chosen.filter(), PAGE_ROWS, after)
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


@details.get("/plan/services.csv")
async def services_file(visit: Visiting, agency: Text = "", group: Text = "", state: Text = "") -> Response:
    rows = await visit.all_rows(services_for, Chosen(agency, group, state).filter(), rows_max=FILE_ROWS_MAX)
    return csv_attachment(csv_file(SERVICES, rows), "services.csv")


@details.get("/plan/services/{service_id}")
async def service(visit: Visiting, service_id: Name) -> HTMLResponse:
    """A service, and what happened to it."""

    async def context() -> Context:
        found = await visit.ask(service_for, known(service_id))
        return {"service": found.document, "document": Service}

    return await show(visit, "plan/service.html", service_id, context)


@details.get("/plan/projects")
async def projects(visit: Visiting, after: Cursor = None) -> HTMLResponse:
    """Infrastructure projects and national applications, by phase."""

    async def context() -> Context:
        found = await visit.ask(projects_for, PROJECT_ROWS, after)
        return {
            "rows": {kind: [row for row in found.document if row.kind is kind] for kind in ProjectKind},
            "document": Project,
            "next": found.next and f"/plan/projects?{urlencode({'after': found.next})}",
            "is_first": after is None,
        }

    return await show(visit, "plan/projects.html", visit.words.of(PROJECTS), context)


@details.get("/plan/projects.csv")
async def projects_file(visit: Visiting) -> Response:
    rows = await visit.all_rows(projects_for, rows_max=FILE_ROWS_MAX)
    return csv_attachment(csv_file(PROJECTS, rows), "projects.csv")


@details.get("/plan/projects/{project_id}")
async def project(visit: Visiting, project_id: Name) -> HTMLResponse:
    """A project, its phases, and what happened to it."""

    async def context() -> Context:
        found = await visit.ask(project_for, known(project_id))
        return {"project": found.document, "document": Project}

    return await show(visit, "plan/project.html", project_id, context)


@details.get("/plan/{kind}/{name}/history.csv")
async def history_file(visit: Visiting, kind: Literal["services", "projects"], name: Name) -> Response:
    one_for: Any = {"services": service_for, "projects": project_for}[kind]
    return csv_attachment(csv_file(HISTORY, (await visit.ask(one_for, known(name))).document.history), "history.csv")


@details.get("/plan/training")
async def training(visit: Visiting) -> HTMLResponse:
    """Training by year and track against its quota."""

    async def context() -> Context:
        return {"summary": await read_glance(visit, Moment(), partnerships_max=0), "document": Training}

    return await show(visit, "plan/training.html", visit.words.of(TRAINING), context)


@details.get("/plan/awareness")
async def awareness(visit: Visiting, agency: Text = "", after: Cursor = None) -> HTMLResponse:
    """What was aired about the launched services, and what was not."""
    chosen = Chosen(agency)

    async def context() -> Context:
        try:
            found = await visit.ask(coverage_for, chosen.filter().agency, PAGE_ROWS, after, unaired=True)
        except Problem as error:
            if error.status not in (403, 422):
                raise
            return {"chosen": chosen, "coverage": None, "next": None, "csv": None, "status": error.status}
        return {
            "chosen": chosen,
            "coverage": found.document,
            "channels": Channel,
            "own": visit.caller.holder if visit.caller.kind == "agency" else None,
            "next": found.next and chosen.address("/plan/awareness", after=found.next),
            "csv": chosen.address("/plan/awareness.csv"),
        }

    return await show(visit, "plan/awareness.html", visit.words.say("التوعية", "Awareness"), context)


@details.get("/plan/awareness.csv")
async def awareness_file(visit: Visiting, agency: Text = "") -> Response:
    services = await covered_services(visit, Chosen(agency).filter().agency)
    return csv_attachment(coverage_csv(services), "awareness.csv")
