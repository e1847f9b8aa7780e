"""`/v1/campaigns` and `/v1/inbox`: awareness campaigns, and what an agency must do about its own; `/v1/coverage`: what
was aired about each launched service, of which the office and auditors see all, an agency its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Response
from msgspec import structs

from consumers.api.access import may_read, narrowed, programme_scope
from consumers.api.parameters import After, AgencyCode, Before, Id, Limit, Text, cursor_of, text_after, texts_after
from consumers.api.reader import ReadAnswer, Reader, found, paged, read_route
from consumers.documents.access_scope import EVERYTHING
from consumers.documents.campaigns import campaigns as nouns
from consumers.documents.campaigns.campaigns import CAMPAIGNS as LIST
from consumers.documents.campaigns.campaigns import (
    INBOX,
    Campaign,
    CampaignAndHistory,
    Coverage,
    InboxCounts,
    InboxItem,
    StateFilter,
)
from consumers.documents.campaigns.evaluations import Explanation
from consumers.documents.tables import csv_file
from consumers.programme.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.programme.campaigns.coverage.read import CoverageFilter, coverage
from consumers.programme.campaigns.explain.read import CONSUMERS as EXPLAIN_CONSUMERS
from consumers.programme.campaigns.explain.read import explain
from consumers.programme.campaigns.filters import CampaignFilter, Sort
from consumers.programme.campaigns.read import campaign, campaigns, counts, team_subscriptions
from consumers.programme.campaigns.rules.in_force import rules_in_force
from consumers.programme.campaigns.show import coverage_csv
from consumers.replay.as_of.view import View
from events.values.bilingual import Bilingual
from events.values.fields import CODE_PATTERN
from infra.http.parameters import bad_parameter
from infra.http.problems import Problem
from infra.postgres.connection import Connection

routes = APIRouter(tags=["programme"], default_response_class=Response)

State = Annotated[StateFilter | None, Query(description="Only in this state; `open` is all but completed.")]
Overdue = Annotated[bool | None, Query(description="Only what is, or is not, late.")]
Owner = Annotated[str | None, Query(pattern=CODE_PATTERN, description="Only of this agency.")]
Channel = Annotated[nouns.Channel | None, Query(description="Only what is to be aired on it.")]
ListSort = Annotated[Literal["id", "due"], Query(description="Order: by id or by due date.")]
InboxState = Annotated[
    StateFilter | Literal["any"], Query(description="Only in this state; `open` is all but completed.")
]
InboxSort = Annotated[
    Literal["due", "overdue"], Query(description="Order: by due date, or what is overdue first and then by due date.")
]
_WHOSE_INBOX: Final = Bilingual("حدد الجهة التي تريد صندوقها.", "Name the agency whose inbox you want.")
_WHOSE_TEAM: Final = Bilingual("حدد جهة الفريق.", "Name the team's agency.")
Everyone = Annotated[bool, Query(description="Of every agency; needs the scope log:read.")]


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """The campaigns that somebody wants to see. Without `agency`: the caller's own."""

    agency: AgencyCode = None
    everyone: Everyone = False
    team: Text = None
    state: InboxState = StateFilter.OPEN
    overdue: Overdue = None
    service: Text = None
    channel: Channel = None
    rule: Text = None

    def chosen_by(self, reader: Reader) -> CampaignFilter:
        """Raises `Problem` (403, 422)."""
        scope, caller = narrowed(programme_scope(reader.caller), self.agency), reader.caller
        if self.everyone and scope != EVERYTHING:
            raise Problem("forbidden")
        owner = None if self.everyone else scope.agency or (None if caller.agency is None else caller.agency.code)
        if owner is None and not self.everyone:
            raise bad_parameter("agency", _WHOSE_INBOX, "missing-field")
        if owner is None and self.team is not None:
            raise bad_parameter("agency", _WHOSE_TEAM, "missing-field")
        wanted = None if self.state == "any" else self.state.value
        channel = self.channel and self.channel.value
        return CampaignFilter(reader.today, owner, wanted, self.overdue, None, self.service, channel, self.rule)

    async def for_team(self, tables: Connection, chosen: CampaignFilter) -> CampaignFilter:
        """With what the team is subscribed to. Raises `Problem` (404) where the agency has no such team."""
        if self.team is None or chosen.owner is None:
            return chosen
        return replace(chosen, subscriptions=found(await team_subscriptions(tables, chosen.owner, self.team)))


@read_route(
    routes,
    "/v1/campaigns",
    "list_campaigns",
    "The awareness campaigns",
    "The shape of `yesser campaigns list --json`.",
    partial(csv_file, LIST),
)
async def campaigns_for(
    reader: Reader,
    owner: Owner = None,
    state: State = None,
    overdue: Overdue = None,
    due_before: Before = None,
    service: Text = None,
    channel: Channel = None,
    rule: Text = None,
    sort: ListSort = "id",
    limit: Limit = 100,
    after: After = None,
) -> ReadAnswer[list[Campaign]]:
    """Every campaign in the log that matches all parameters, and its state. As JSON, or with `Accept: text/csv`."""
    programme_scope(reader.caller)
    wanted, on = state and state.value, channel and channel.value
    key = texts_after(after) if sort == "due" else ("", text_after(after))
    chosen = CampaignFilter(reader.today, owner, wanted, overdue, due_before, service, on, rule)
    chosen = replace(chosen, sort=sort, after=key, rows_max=limit + 1)
    return await reader.page(
        CAMPAIGNS,
        lambda tables: campaigns(tables, chosen, Campaign),
        limit,
        lambda row: (row.due_on, row.campaign_id) if sort == "due" else (row.campaign_id,),
        reader.today if chosen.depends_on_today else "",
    )


AskedInbox = Annotated[InboxFilter, Depends()]


@read_route(
    routes,
    "/v1/inbox",
    "open_campaigns",
    "What an agency must do now",
    "The campaigns asked for, each with its next step.",
    partial(csv_file, INBOX),
)
async def inbox_for(
    reader: Reader, asked: AskedInbox, sort: InboxSort = "due", limit: Limit = 100, after: After = None
) -> ReadAnswer[list[InboxItem]]:
    """The agency's campaigns in this state, in this order. With `team`, those that its subscriptions choose.

    Without `agency`: your own. As JSON, or with `Accept: text/csv`.
    """
    chosen = replace(asked.chosen_by(reader), sort=sort, after=texts_after(after), rows_max=limit + 1)

    async def question(view: View) -> list[InboxItem]:
        tables = await view.use(CAMPAIGNS)
        return await campaigns(tables, await asked.for_team(tables, chosen), InboxItem)

    answer = await reader.read([CAMPAIGNS], question, reader.today)
    return paged(answer, limit, lambda row: (_key(row, sort), row.campaign_id))


_COUNTS: Final = "How many there are, are overdue, are paused, and wait for each next step."


@read_route(routes, "/v1/inbox/counts", "inbox_counts", "How many campaigns wait for each next step", _COUNTS)
async def inbox_counts_for(reader: Reader, asked: AskedInbox) -> ReadAnswer[InboxCounts]:
    """Of the campaigns that `/v1/inbox` lists with the same parameters."""
    chosen = asked.chosen_by(reader)

    async def question(view: View) -> InboxCounts:
        tables = await view.use(CAMPAIGNS)
        return await counts(tables, await asked.for_team(tables, chosen))

    return await reader.read([CAMPAIGNS], question, reader.today)


def _key(row: InboxItem, sort: Sort) -> str:
    """The row's place in the order, as the query has it."""
    return row.due_on if sort == "due" else f"{'01'[not row.overdue]}{row.due_on}"


@read_route(
    routes,
    "/v1/campaigns/{campaign_id}",
    "one_campaign",
    "A campaign, its brief, its airings and its history",
    "A campaign, its brief, its reason, its airings and its history.",
)
async def campaign_for(reader: Reader, campaign_id: Id) -> ReadAnswer[CampaignAndHistory]:
    """Why it was triggered, what was asked for, who acknowledged it, and what became of it."""
    scope = programme_scope(reader.caller)

    async def question(view: View) -> CampaignAndHistory:
        row = found(await campaign(view, campaign_id))
        return row if may_read(scope, row.owner) else structs.replace(row, airings=None, history=None)

    return await reader.read([CAMPAIGNS], question)


@read_route(
    routes,
    "/v1/campaigns/{campaign_id}/explanation",
    "campaign_explanation",
    "Why a campaign was triggered",
    "The shape of `yesser campaigns explain --json`, of a campaign.",
)
async def explanation_for(reader: Reader, campaign_id: Id) -> ReadAnswer[Explanation]:
    """Which rule decided it at which entry, and what happened to it since: as `yesser campaigns explain` says."""
    scope = programme_scope(reader.caller)

    async def question(view: View) -> Explanation:
        explained = found(await explain(view, rules_in_force(), campaign_id))
        if explained.about.kind != "campaign" or not all(may_read(scope, row.owner) for row in explained.campaigns):
            raise Problem("not-found")
        if not explained.campaigns and scope != EVERYTHING:  # decided against: no agency owns it
            raise Problem("not-found")
        return explained

    return await reader.read(EXPLAIN_CONSUMERS, question)


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
    shown = structs.replace(found.document, services=found.document.services[:limit])
    return ReadAnswer(shown, found.state, cursor_of((shown.services[-1].service_id,)))
