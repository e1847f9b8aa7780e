"""The read API's router, which the gateway loads by the entry point `yesser.routes`, and those of other packages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, Depends, Request

from consumers.api.calculation_pool import Calculations
from consumers.api.reader import Reads
from consumers.api.resources import campaigns, entries, partnerships, programme, proofs
from infra.clock import Clock, utc_now
from infra.http.routes import RouteParts

PLANS_REMEMBERED_MAX: Final = 256
_OF_PROGRAMME: Final = (programme.routes, campaigns.routes, programme.names_routes)
_ROUTES: Final = (*_OF_PROGRAMME, partnerships.routes, entries.routes, proofs.routes)
"""In the order of the OpenAPI document."""


def reads_of(parts: RouteParts, now: Clock = utc_now) -> Reads:
    settings = parts.settings
    of_kinds = [Calculations(settings) for _ in range(3)]
    return Reads(parts.connection, now, Calculations(settings, PLANS_REMEMBERED_MAX), *of_kinds)


def router_of(*resources: APIRouter) -> Callable[..., APIRouter]:
    """The factory of an entry point `yesser.routes`, of routes that take a `Reading`: called with `RouteParts`, and
    with `Reads` where they are shared."""

    def router(parts: RouteParts, reads: Reads | None = None) -> APIRouter:
        shared = reads or reads_of(parts)

        async def prepare(request: Request) -> None:
            request.state.parts = parts
            request.state.reads = shared

        made = APIRouter(dependencies=[Depends(prepare)])
        for resource in resources:
            made.include_router(resource)
        return made

    return router


router: Final = router_of(*_ROUTES)
