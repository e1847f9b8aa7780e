"""`/campaigns/coverage`: what was aired about each launched service, and what was not."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from consumers.api.parameters import After
from consumers.api.resources.campaigns import coverage_for
from consumers.console.page_request import Visiting, csv_attachment
from consumers.console.pages.plan.details import covered_services
from consumers.documents.campaigns import coverage as nouns
from consumers.documents.campaigns.campaigns import Channel
from consumers.programme.campaigns.coverage.show import coverage_csv

PAGE_ROWS: Final = 40

routes = APIRouter()


@routes.get("/campaigns/coverage")
async def coverage_page(visit: Visiting, unaired: bool = False, after: After = None) -> Response:
    answer = await coverage_for(visit.reader, None, unaired, PAGE_ROWS, after)
    return visit.page(
        "campaigns/coverage.html",
        live=True,
        coverage=answer.document,
        unaired=unaired,
        following=answer.next,
        nouns=nouns,
        channels=Channel,
    )


@routes.get("/campaigns/coverage.csv")
async def coverage_file(visit: Visiting, unaired: bool = False) -> Response:
    """Every service and channel, for a spreadsheet."""
    return csv_attachment(coverage_csv(await covered_services(visit, None, unaired=unaired)), "coverage.csv")
