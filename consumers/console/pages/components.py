"""`/components`: every component of the design system on one page."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from consumers.console.visit import Visiting

routes = APIRouter()


@routes.get("/components")
async def components(visit: Visiting) -> HTMLResponse:
    return visit.page("components.html")
