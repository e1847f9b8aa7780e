"""`/v1/campaigns` and `/v1/inbox`: awareness campaigns, and what an agency must do about its own."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from consumers.as_of.view import View
from consumers.campaigns import filters
from consumers.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.campaigns.filters import CampaignFilter
from consumers.campaigns.read import DETAIL_CONSUMERS, campaign, campaigns, inbox, team_subscriptions
from consumers.campaigns.spreadsheet import campaigns_csv, inbox_csv
from consumers.read_api import documents
from consumers.read_api.access import may_read, narrowed
from consumers.read_api.cursor import text_after, texts_after
from consumers.read_api.parameters import After, AgencyCode, Before, Id, Limit, Text
from consumers.read_api.reading import Reading, Shown, found, page
from events.values.fields import CODE_PATTERN
from infra.http.problems import Problem

routes = APIRouter(tags=["programme"], default_response_class=Response)

State = Annotated[filters.State | None, Query(description="Only in this state; `open` is all but completed.")]
Overdue = Annotated[bool | None, Query(description="Only what is, or is not, late.")]
Owner = Annotated[str | None, Query(pattern=CODE_PATTERN, description="Only of this agency.")]
Channel = Annotated[Literal["tv", "radio", "print"] | None, Query(description="Only what is to be aired on it.")]
Sort = Annotated[filters.Sort, Query(description="Order: by id or by due date.")]


@routes.get(
    "/v1/campaigns",
    summary="The awareness campaigns",
    responses=documents.responses(documents.CAMPAIGNS, paged=True, csv=True),
)
async def list_campaigns(
    request: Reading,
    owner: Owner = None,
    state: State = None,
    overdue: Overdue = None,
    due_before: Before = None,
    service: Text = None,
    channel: Channel = None,
    rule: Text = None,
    sort: Sort = "id",
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """Every campaign in the log that matches all parameters, and its state. As JSON, or with `Accept: text/csv`."""
    await request.programme_scope()
    today = request.today()
    chosen = CampaignFilter(
        *(today, owner, state, overdue, due_before, service, channel, rule),
        sort=sort,
        after=texts_after(after) if sort == "due" else ("", text_after(after)),
        rows_max=limit + 1,
    )
    columns = ("due_on", "campaign_id") if sort == "due" else ("campaign_id",)
    day = today if chosen.depends_on_today else ""
    return await request.page(
        CAMPAIGNS, lambda tables: campaigns(tables, chosen), limit, *columns, variant=day, csv=campaigns_csv
    )


@routes.get(
    "/v1/inbox",
    summary="What an agency must do now",
    responses=documents.responses(documents.INBOX, paged=True, csv=True),
)
async def open_campaigns(
    request: Reading, agency: AgencyCode = None, team: Text = None, limit: Limit = 100, after: After = None
) -> Response:
    """The agency's campaigns that are not completed, by due date. With `team`, those that its subscriptions choose.

    Without `agency`: your own. As JSON, or with `Accept: text/csv`.
    """
    caller = await request.caller()
    scope = narrowed(await request.programme_scope(), agency)
    owner = scope.agency or (None if caller.agency is None else caller.agency.code)
    if owner is None:
        detail = "Name the agency whose inbox you want."
        raise Problem("bad-parameter", errors=[{"code": "missing-field", "parameter": "agency", "detail": detail}])
    today, key = request.today(), texts_after(after)

    async def shown(view: View) -> Shown:
        tables = await view.use(CAMPAIGNS)
        wanted = None if team is None else found(await team_subscriptions(tables, owner, team))
        chosen = CampaignFilter(today, owner, "open", sort="due", after=key, rows_max=limit + 1, subscriptions=wanted)
        return Shown(*page(await inbox(tables, chosen), limit, "due_on", "campaign_id"))

    return await request.answer([CAMPAIGNS], shown, today, inbox_csv)


@routes.get(
    "/v1/campaigns/{campaign_id}",
    summary="A campaign, its brief, its airings and its history",
    responses=documents.responses(documents.CAMPAIGN),
)
async def one_campaign(request: Reading, campaign_id: Id) -> Response:
    """Why it was triggered, what was asked for, who acknowledged it, and what became of it."""
    scope = await request.programme_scope()

    async def shown(view: View) -> Shown:
        row = found(await campaign(view, campaign_id))
        return Shown(row if may_read(scope, row["owner"]) else {**row, "airings": None, "history": None})

    return await request.answer(DETAIL_CONSUMERS, shown)
