"""`/v1/coverage`: what was aired about each launched service, with totals by agency.

The office and auditors see all services, an agency its own.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from msgspec.structs import replace

from consumers.as_of.view import View
from consumers.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.campaigns.coverage.read import CoverageFilter, coverage
from consumers.campaigns.coverage.show import coverage_csv
from consumers.read_api import documents
from consumers.read_api.access import narrowed
from consumers.read_api.cursor import text_after
from consumers.read_api.parameters import After, AgencyCode, Limit
from consumers.read_api.reading import Reading, Shown, page

routes = APIRouter(tags=["programme"], default_response_class=Response)

Unaired = Annotated[bool, Query(description="Only services without an airing on some channel.")]


@routes.get(
    "/v1/coverage",
    summary="What was aired about each launched service",
    responses=documents.responses(documents.COVERAGE, paged=True, csv=True),
)
async def coverage_of_services(
    request: Reading, agency: AgencyCode = None, unaired: Unaired = False, limit: Limit = 100, after: After = None
) -> Response:
    """Airings, reach and days to the first airing, by channel; the totals are those of all services, on every page.

    As JSON, or with `Accept: text/csv` a row for each service and channel.
    """
    scope = narrowed(await request.programme_scope(), agency)
    chosen = CoverageFilter(scope.agency, unaired, text_after(after), limit + 1)

    async def shown(view: View) -> Shown:
        document = await coverage(view, chosen)
        services, following = page(list(document.services), limit, "service_id")
        return Shown(replace(document, services=tuple(services)), following)

    return await request.answer([CAMPAIGNS], shown, csv=lambda document: coverage_csv(document.services))
