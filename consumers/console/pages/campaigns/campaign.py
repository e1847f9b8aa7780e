"""`/campaigns/ID`: one campaign with its brief, why there is one, what was done and what is to be done."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from consumers.campaigns.dates import in_words
from consumers.campaigns.next_step import time_left
from consumers.campaigns.rules.in_force import rules_in_force
from consumers.console.accounts.accounts import Account
from consumers.console.navigation import roles_of
from consumers.console.pages.campaigns import wording
from consumers.console.pages.campaigns.inbox import today_of
from consumers.console.pages.campaigns.outcome import outcome
from consumers.console.visit import Visit, Visiting
from consumers.delivery.plain_text import lines
from consumers.documents.campaigns import campaigns as nouns
from consumers.documents.campaigns.campaigns import CampaignAndHistory, CampaignState, NextAction
from consumers.documents.campaigns.evaluations import CampaignExplanation
from consumers.read_api.parameters import PAGE_ROWS_MAX
from consumers.read_api.resources.campaigns import InboxFilter, campaign_for, explanation_for, inbox_for
from events.values.fields import ID_PATTERN
from events.wire.envelope import EVENT_ID_PATTERN
from infra.http.problems import Problem
from producers.sdk.answers import Verdict
from producers.sdk.problems import NotServed

_NOT_FOUND: Final = 404
VERDICT_WAIT_S: Final = 3.0
"""Longer a page does not wait for what it can say without."""
_LINKED: Final = ("http://", "https://")
CampaignId = Annotated[str, Path(pattern=ID_PATTERN)]

routes = APIRouter()


def may_report(account: Account, campaign: CampaignAndHistory) -> bool:
    """Whether the account's agency is the one that reports about the campaign."""
    caller = account.caller()
    return caller is not None and caller.agency is not None and caller.agency.code == campaign.owner


async def is_of_own_team(visit: Visit, campaign: CampaignAndHistory) -> bool:
    """Whether the subscriptions of the account's team choose the campaign; of every other account: true."""
    if visit.account.role != "team":
        return True
    service = None if campaign.service is None else campaign.service.service_id
    asked = InboxFilter(team=visit.account.team, state=None, rule=campaign.rule, service=service)
    try:
        rows = await visit.ask(inbox_for, asked, "due", PAGE_ROWS_MAX)
    except Problem as error:
        if error.status == _NOT_FOUND:  # the agency has no such team
            return False
        raise
    return any(row.campaign_id == campaign.campaign_id for row in rows.document)


def is_overdue(campaign: CampaignAndHistory, today: str) -> bool:
    """As the inbox says it: late, and not only its completion is missing."""
    return campaign.due_on < today and campaign.next_action in (NextAction.ACKNOWLEDGE, NextAction.AIR)


def brief_of(campaign: CampaignAndHistory) -> dict[str, str]:
    """The brief in each language, without marks that turn the direction of what follows them."""
    return {"ar": "\n".join(lines(campaign.brief.ar)), "en": "\n".join(lines(campaign.brief.en))}


def service_address(campaign: CampaignAndHistory) -> str | None:
    """The address of the service, if a browser may follow it."""
    url = None if campaign.service is None else campaign.service.url
    return url if url is not None and url.lower().startswith(_LINKED) else None


def actions_of(campaign: CampaignAndHistory) -> list[NextAction]:
    """What its team may report, the next step first. A late airing still counts after completion."""
    wanted = [] if campaign.next_action is None else [campaign.next_action]
    if campaign.state is CampaignState.TRIGGERED:
        wanted.append(NextAction.ACKNOWLEDGE)
    wanted.append(NextAction.AIR)
    if campaign.state is not CampaignState.COMPLETED:
        wanted.append(NextAction.COMPLETE)
    return list(dict.fromkeys(wanted))


@routes.get("/campaigns/{campaign_id}")
async def campaign_page(
    visit: Visiting,
    campaign_id: CampaignId,
    report: Annotated[str | None, Query(max_length=256)] = None,
    address: Annotated[str | None, Query(max_length=256)] = None,
) -> Response:
    answer = await visit.ask(campaign_for, campaign_id)
    found, today, rules = answer.document, today_of(visit), rules_in_force()
    reported, may_act = None, may_report(visit.account, found) and await is_of_own_team(visit, found)
    if report is not None and may_report(visit.account, found) and re.fullmatch(EVENT_ID_PATTERN.strip("^$"), report):
        verdict = None if address is None else await verdict_of(visit, report, address)
        reported = outcome(report, verdict, found, answer.log_index, was_sent=address is not None)
    return visit.page(
        "campaigns/campaign.html",
        live=True,
        campaign=found,
        overdue=is_overdue(found, today),
        time_left=time_left(found.due_on, today),
        brief=brief_of(found),
        service_address=service_address(found),
        explanation=await _explanation(visit, campaign_id),
        rule=wording.rule_words(rules, found.rule),
        rule_sentence=wording.rule_sentence(rules, found.rule),
        actions=actions_of(found) if may_act else [],
        may_audit=visit.account.role in roles_of("/audit"),
        reported=reported,
        nouns=nouns,
    )


@routes.get("/campaigns/{campaign_id}/brief")
async def brief_page(visit: Visiting, campaign_id: CampaignId) -> Response:
    """The brief in both languages on a sheet of paper."""
    found = (await visit.ask(campaign_for, campaign_id)).document
    return visit.page(
        "campaigns/brief.html",
        campaign=found,
        brief=brief_of(found),
        due=in_words(found.due_on),
    )


def address_of(campaign_id: str, **query: str) -> str:
    """Of the page."""
    path = f"/campaigns/{quote(campaign_id, safe='')}"
    return f"{path}?{urlencode(query)}" if query else path


async def verdict_of(visit: Visit, event_id: str, address: str) -> Verdict | None:
    """The gateway's verdict on a report, or None where it has none, is slow or is away."""
    try:
        async with asyncio.timeout(VERDICT_WAIT_S):
            reply = await visit.send("GET", f"/v1/events/{quote(event_id, safe='')}", address=address)
    except (NotServed, TimeoutError):
        return None
    return reply.read(Verdict) if reply.is_success else None


async def _explanation(visit: Visit, campaign_id: str) -> CampaignExplanation | None:
    """What the rules decided; None where the campaign is another agency's."""
    try:
        return (await visit.ask(explanation_for, campaign_id)).document
    except Problem as error:
        if error.status != _NOT_FOUND:
            raise
        return None
