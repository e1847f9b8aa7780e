"""The pages behind the plan's figures: services, projects, training, awareness; and their tables as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse

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
from consumers.console.page_request import Visit, Visiting, csv_attachment
from consumers.console.pages.plan.moment import Moment
from consumers.console.pages.plan.overview import read_overview
from consumers.console.pages.plan.page import Context, show
from consumers.documents.campaigns.campaigns import Channel
from consumers.documents.campaigns.coverage import AgencyCoverage, ServiceCoverage
from consumers.documents.programme.history import HISTORY, Step
from consumers.documents.programme.plan import TRAINING, Group, Training
from consumers.documents.programme.projects import PROJECTS, Project, ProjectKind
from consumers.documents.programme.services import SERVICES, Service, ServiceState
from consumers.documents.tables import csv_file
from consumers.programme.campaigns.coverage.show import coverage_csv
from infra.http.problems import Problem

details = APIRouter()

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


@details.get("/plan/services")
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


@details.get("/plan/services.csv")
async def services_file(visit: Visiting, agency: Text = "", group: Text = "", state: Text = "") -> Response:
    rows = await visit.all_rows(services_for, *Chosen(agency, group, state).checked(), rows_max=FILE_ROWS_MAX)
    return csv_attachment(csv_file(SERVICES, rows), "services.csv")


@details.get("/plan/services/{service_id}")
async def service(visit: Visiting, service_id: Name) -> HTMLResponse:
    """A service, and what happened to it."""

    async def context(reader: Reader) -> Context:
        found = await service_for(reader, known(service_id))
        title = visit.words.of(found.document.name)
        return {"title": title, "service": found.document, "document": Service, "step_document": Step}

    return await show(visit, "plan/service.html", service_id, context)


@details.get("/plan/projects")
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


@details.get("/plan/projects.csv")
async def projects_file(visit: Visiting) -> Response:
    rows = await visit.all_rows(projects_for, rows_max=FILE_ROWS_MAX)
    return csv_attachment(csv_file(PROJECTS, rows), "projects.csv")


@details.get("/plan/projects/{project_id}")
async def project(visit: Visiting, project_id: Name) -> HTMLResponse:
    """A project, its phases, and what happened to it."""

    async def context(reader: Reader) -> Context:
        found = await project_for(reader, known(project_id))
        title = visit.words.of(found.document.name)
        return {"title": title, "project": found.document, "document": Project, "step_document": Step}

    return await show(visit, "plan/project.html", project_id, context)


@details.get("/plan/{kind}/{name}/history.csv")
async def history_file(visit: Visiting, kind: Literal["services", "projects"], name: Name) -> Response:
    one_for: Any = {"services": service_for, "projects": project_for}[kind]
    return csv_attachment(csv_file(HISTORY, (await one_for(visit.reader, known(name))).document.history), "history.csv")


@details.get("/plan/training")
async def training(visit: Visiting) -> HTMLResponse:
    """Training by year and track against its quota."""

    async def context(reader: Reader) -> Context:
        return {"summary": await read_overview(reader, Moment(), partnerships_max=0), "document": Training}

    return await show(visit, "plan/training.html", visit.words.of(TRAINING), context)


@details.get("/plan/awareness")
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


@details.get("/plan/awareness.csv")
async def awareness_file(visit: Visiting, agency: Text = "") -> Response:
    services = await covered_services(visit, Chosen(agency).checked()[0])
    return csv_attachment(coverage_csv(services), "awareness.csv")


async def covered_services(visit: Visit, agency: str | None, *, unaired: bool = False) -> list[ServiceCoverage]:
    """Every launched service, or those of an agency, at most `FILE_ROWS_MAX`."""

    async def page(reader: Reader, limit: int, after: str | None) -> ReadAnswer[list[ServiceCoverage]]:
        found = await coverage_for(reader, agency, unaired, limit, after)
        return ReadAnswer([*found.document.services], found.state, found.next)

    return await visit.all_rows(page, rows_max=FILE_ROWS_MAX)
