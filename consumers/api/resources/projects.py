"""`/v1/projects`: infrastructure projects and national applications, with their phases."""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.api import documents
from consumers.api.access import programme_scope, with_readable_history
from consumers.api.cursor import text_after
from consumers.api.parameters import After, Id, Limit
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import Reading, found
from consumers.documents.programme.projects import Project, ProjectAndHistory
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.programme.projections.read import project, projects
from consumers.replay.as_of.view import View

routes = APIRouter(tags=["programme"], default_response_class=Response)


@routes.get(
    "/v1/projects", summary="The projects", responses=documents.answers("Projects by id.", list[Project], paged=True)
)
async def list_projects(request: Reading, limit: Limit = 100, after: After = None) -> Response:
    """Every registered project and how many of its phases are started and completed."""
    return await request.respond(lambda reader: projects_for(reader, limit, after))


async def projects_for(reader: Reader, limit: int, after: str | None = None) -> ReadAnswer[list[Project]]:
    """A page of the projects. Raises `Problem` (403, 422, 503)."""
    programme_scope(reader.caller)
    key = text_after(after)
    return await reader.page(
        PROJECTIONS, lambda tables: projects(tables, key, limit + 1), limit, lambda row: (row.project_id,)
    )


@routes.get(
    "/v1/projects/{project_id}",
    summary="A project, its phases and its history",
    responses=documents.answers("A project, its phases and its history.", ProjectAndHistory),
)
async def one_project(request: Reading, project_id: Id) -> Response:
    """What happened to it and to each phase, step by step, each with the index of its entry."""
    return await request.respond(lambda reader: project_for(reader, project_id))


async def project_for(reader: Reader, project_id: str) -> ReadAnswer[ProjectAndHistory]:
    """Raises `Problem` (403, 404, 503)."""
    scope = programme_scope(reader.caller)

    async def question(view: View) -> ProjectAndHistory:
        return with_readable_history(found(await project(await view.use(PROJECTIONS), project_id)), scope)

    return await reader.read([PROJECTIONS], question)
