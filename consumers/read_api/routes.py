"""The read API: the routes that the gateway gets from this room (entry point `yesser.routes`)."""

from __future__ import annotations

from fastapi import APIRouter

from consumers.read_api import log_routes, money_routes, programme_routes
from infra.http.routes import RouteParts


def router(parts: RouteParts) -> APIRouter:
    """All of them."""
    routes = APIRouter()
    for part in (programme_routes, money_routes, log_routes):
        routes.include_router(part.router(parts))
    return routes
