"""`/v1/projects`: infrastructure projects and national applications, with their phases."""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.projections.consumer import CONSUMER as PROJECTIONS
from consumers.projections.read import project, projects
from consumers.read_api import documents
from consumers.read_api.access import with_readable_history
from consumers.read_api.cursor import text_after
from consumers.read_api.parameters import After, Id, Limit
from consumers.read_api.reading import Reading

routes = APIRouter(tags=["programme"], default_response_class=Response)


@routes.get("/v1/projects", summary="The projects", responses=documents.responses(documents.PROJECTS, paged=True))
async def list_projects(request: Reading, limit: Limit = 100, after: After = None) -> Response:
    """Every registered project and how many of its phases are started and completed."""
    await request.programme_scope()
    return await request.page(
        PROJECTIONS, lambda tables: projects(tables, text_after(after), limit + 1), limit, "project_id"
    )


@routes.get(
    "/v1/projects/{project_id}",
    summary="A project, its phases and its history",
    responses=documents.responses(documents.PROJECT),
)
async def one_project(request: Reading, project_id: Id) -> Response:
    """What happened to it and to each phase, step by step, each with the index of its entry."""
    scope = await request.programme_scope()
    return await request.one(
        PROJECTIONS, lambda tables: project(tables, project_id), lambda row: with_readable_history(row, scope)
    )
