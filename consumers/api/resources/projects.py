"""`/v1/projects`: infrastructure projects and national applications, with their phases."""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.api.access import programme_scope, with_readable_history
from consumers.api.cursor import text_after
from consumers.api.parameters import After, Id, Limit
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import found, read_route
from consumers.documents.programme.projects import Project, ProjectAndHistory
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.programme.projections.read import project, projects
from consumers.replay.as_of.view import View

routes = APIRouter(tags=["programme"], default_response_class=Response)


@read_route(routes, "/v1/projects", "list_projects", "The projects", "Projects by id.")
async def projects_for(reader: Reader, limit: Limit = 100, after: After = None) -> ReadAnswer[list[Project]]:
    """Every registered project and how many of its phases are started and completed."""
    programme_scope(reader.caller)
    key = text_after(after)
    return await reader.page(
        PROJECTIONS, lambda tables: projects(tables, key, limit + 1), limit, lambda row: (row.project_id,)
    )


@read_route(routes, "/v1/projects/{project_id}", "one_project", "A project, its phases and its history")
async def project_for(reader: Reader, project_id: Id) -> ReadAnswer[ProjectAndHistory]:
    """What happened to it and to each phase, step by step, each with the index of its entry."""
    scope = programme_scope(reader.caller)

    async def question(view: View) -> ProjectAndHistory:
        return with_readable_history(found(await project(await view.use(PROJECTIONS), project_id)), scope)

    return await reader.read([PROJECTIONS], question)
