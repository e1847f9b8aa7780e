"""`/campaigns/coverage`: what was aired about each launched service, and what was not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response

from consumers.campaigns.coverage.show import coverage_csv
from consumers.console.pages.campaigns import wording
from consumers.console.pages.campaigns.inbox import CSV_PAGE_ROWS, after_of, csv_file
from consumers.console.visit import Visiting

PAGE_ROWS: Final = 40
Row = Mapping[str, Any]
Unaired = Annotated[bool, Query()]

routes = APIRouter()


def shares(total: Row) -> list[dict[str, Any]]:
    """Of the launched services, how many were aired on each channel, and how many were not."""
    launched = total["launched_services"]
    return [
        {"channel": name, "aired": aired, "launched": launched, "missing": launched - aired}
        for name, aired in total["aired"].items()
    ]


@routes.get("/campaigns/coverage")
async def coverage_page(
    visit: Visiting, unaired: Unaired = False, after: Annotated[str | None, Query(max_length=1_024)] = None
) -> Response:
    answer = await visit.read("/v1/coverage", unaired=unaired, limit=PAGE_ROWS, after=after)
    return visit.page(
        "campaigns/coverage.html",
        live=True,
        coverage=answer.document,
        shares=shares(answer.document["total"]),
        unaired=unaired,
        following=after_of(answer.next),
        wording=wording,
    )


@routes.get("/campaigns/coverage.csv")
async def coverage_file(visit: Visiting, unaired: Unaired = False) -> Response:
    """Every service and channel, for a spreadsheet."""
    services: list[Row] = []
    after: str | None = None
    while True:
        page = await visit.read("/v1/coverage", unaired=unaired, limit=CSV_PAGE_ROWS, after=after)
        services += page.document["services"]
        after = after_of(page.next)
        if after is None:
            return csv_file("coverage.csv", coverage_csv(services))
