"""`/v1/campaigns`: awareness campaigns, why each was triggered, and its airings."""

from __future__ import annotations

from fastapi import APIRouter, Response

from consumers.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.campaigns.read import campaign, campaigns
from consumers.read_api import documents
from consumers.read_api.access import may_read
from consumers.read_api.cursor import text_after
from consumers.read_api.parameters import After, Id, Limit
from consumers.read_api.reading import Reading

routes = APIRouter(tags=["programme"], default_response_class=Response)


@routes.get(
    "/v1/campaigns",
    summary="The awareness campaigns",
    responses=documents.responses(documents.CAMPAIGNS, paged=True),
)
async def list_campaigns(request: Reading, limit: Limit = 100, after: After = None) -> Response:
    """Every campaign that stands in the log, and its state."""
    await request.programme_scope()
    return await request.page(
        CAMPAIGNS, lambda tables: campaigns(tables, text_after(after), limit + 1), limit, "campaign_id"
    )


@routes.get(
    "/v1/campaigns/{campaign_id}",
    summary="A campaign, its brief and its airings",
    responses=documents.responses(documents.CAMPAIGN),
)
async def one_campaign(request: Reading, campaign_id: Id) -> Response:
    """Why it was triggered, what was asked for, and what became of it."""
    scope = await request.programme_scope()
    return await request.one(
        CAMPAIGNS,
        lambda tables: campaign(tables, campaign_id),
        lambda row: row if may_read(scope, row["owner"]) else {**row, "airings": None},
    )
