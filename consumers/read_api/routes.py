"""The read API's router, which the gateway loads by the entry point `yesser.routes`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Depends, Request

from consumers.read_api.beside import Slots, calculated
from consumers.read_api.past_plans import PastPlans, past_plan
from consumers.read_api.reader import Reads
from consumers.read_api.resources import (
    activity,
    anomalies,
    balances,
    campaigns,
    coverage,
    pace,
    partnerships,
    plan,
    projects,
    services,
    statements,
)
from consumers.read_api.resources.log import checkpoints, entries, proofs, refusals
from infra.http.routes import RouteParts

_RESOURCES: Final = (
    plan,
    pace,
    services,
    projects,
    campaigns,
    coverage,
    partnerships,
    statements,
    balances,
    entries,
    anomalies,
    activity,
    refusals,
    proofs,
    checkpoints,
)
"""In the order of the OpenAPI document."""


def reads_of(parts: RouteParts) -> Reads:
    return Reads(parts.connection, PastPlans(partial(calculated, parts.settings, past_plan)))


def router(
    parts: RouteParts, now: Callable[[], datetime] = lambda: datetime.now(UTC), reads: Reads | None = None
) -> APIRouter:
    """All routes. Their dependencies are in the state of the request."""
    papers = Slots()

    async def prepare(request: Request) -> None:
        request.state.papers = papers
        request.state.now = now

    routes = APIRouter(dependencies=[prepared(parts, reads), Depends(prepare)])
    for resource in _RESOURCES:
        routes.include_router(resource.routes)
    return routes


def prepared(parts: RouteParts, reads: Reads | None = None) -> Any:
    """A dependency of routes of other packages that take a `Reading`."""
    shared = reads or reads_of(parts)

    async def prepare(request: Request) -> None:
        request.state.parts = parts
        request.state.reads = shared

    return Depends(prepare)
