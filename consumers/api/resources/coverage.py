"""`/v1/coverage`: what was aired about each launched service, with totals by agency.

The office and auditors see all services, an agency its own.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from msgspec.structs import replace

from consumers.api.access import narrowed, programme_scope
from consumers.api.cursor import cursor_of, text_after
from consumers.api.parameters import After, AgencyCode, Limit
from consumers.api.reader import ReadAnswer, Reader
from consumers.api.reading import read_route
from consumers.documents.campaigns.coverage import Coverage
from consumers.programme.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.programme.campaigns.coverage.read import CoverageFilter, coverage
from consumers.programme.campaigns.show import coverage_csv

routes = APIRouter(tags=["programme"], default_response_class=Response)

Unaired = Annotated[bool, Query(description="Only services without an airing on some channel.")]


@read_route(
    routes,
    "/v1/coverage",
    "coverage_of_services",
    "What was aired about each launched service",
    "The shape of `yesser campaigns coverage --json`, a page of services.",
    lambda document: coverage_csv(document.services),
)
async def coverage_for(
    reader: Reader, agency: AgencyCode = None, unaired: Unaired = False, limit: Limit = 100, after: After = None
) -> ReadAnswer[Coverage]:
    """Airings, reach and days to the first airing, by channel; the totals are those of all services, on every page.

    As JSON, or with `Accept: text/csv` a row for each service and channel.
    """
    scope = narrowed(programme_scope(reader.caller), agency)
    chosen = CoverageFilter(scope.agency, unaired, text_after(after), limit + 1)
    found = await reader.read([CAMPAIGNS], lambda view: coverage(view, chosen))
    if len(found.document.services) <= limit:
        return found
    shown = replace(found.document, services=found.document.services[:limit])
    return ReadAnswer(shown, found.state, cursor_of((shown.services[-1].service_id,)))
