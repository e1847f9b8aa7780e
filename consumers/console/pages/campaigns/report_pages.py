"""`/campaigns/ID/acknowledge | air | correct | complete`: a team's reports, sent through the gateway as its agency.

A report's bytes follow from what it says, so that sending it twice is a duplicate and never a second fact. What the
campaign has already is not sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, Literal, get_args

from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import to_builtins

from consumers.api.parameters import Id
from consumers.api.resources.campaigns import campaign_for
from consumers.console.page_request import Visit, Visiting
from consumers.console.pages.campaigns.campaign import address_of, is_of_own_team, may_report, verdict_of
from consumers.console.pages.campaigns.inbox import today_of
from consumers.console.pages.campaigns.reporting import (
    AWAY,
    FIELDS,
    UNKNOWN,
    Faults,
    Given,
    differing_airing,
    faults_of,
    general_fault,
    read_acknowledgement,
    read_airing,
    read_completion,
    read_correction,
)
from consumers.documents.campaigns import campaigns as nouns
from consumers.documents.campaigns.campaigns import CORRECT, CampaignAndHistory, NextAction
from events.reports.campaign_reports import Action
from infra.http.problems import Problem
from infra.postgres.connection import TRANSIENT_ERRORS
from producers.sdk.answers import SendAnswer
from producers.sdk.problems import NotServed, OutcomeUnknown

APPLIED_WAIT_S: Final = 5.0
"""The longest wait for a report to be applied; then the page says that it is on its way."""
LOOK_EVERY_S: Final = 0.15
CONTENT_TYPE: Final = "application/cloudevents+json"
_UNPROCESSABLE: Final = 422
_READ: Final[Mapping[str, Callable[[str, Given, str], Action | Faults]]] = {
    "acknowledge": read_acknowledgement,
    "air": read_airing,
    "complete": read_completion,
}
What = Literal["acknowledge", "air", "correct", "complete"]

routes = APIRouter()


def _add(what: What) -> None:
    """The form and its answer."""
    path = f"/campaigns/{{campaign_id}}/{what}"

    @routes.get(path)
    async def form(visit: Visiting, campaign_id: Id) -> Response:
        campaign = await _own(visit, campaign_id)
        missing = campaign.missing_channels
        given = {"on": today_of(visit), "by": visit.account.team or "", "channel": missing[0].value if missing else ""}
        return _page(visit, campaign, what, given, {})

    @routes.post(path)
    async def report(visit: Visiting, campaign_id: Id) -> Response:
        return await send_report(visit, campaign_id, what, await visit.typed())


for _what in get_args(What):
    _add(_what)


async def send_report(visit: Visit, campaign_id: str, what: What, given: Given) -> Response:
    """Send what was typed as a report, unless the campaign has it."""
    campaign = await _own(visit, campaign_id)
    known, today = to_builtins(campaign), today_of(visit)
    is_correction = what == "correct"
    action = read_correction(known, given, today) if is_correction else _READ[what](campaign_id, given, today)
    if isinstance(action, dict):
        return _page(visit, campaign, what, given, action, _UNPROCESSABLE)
    if differing := differing_airing(action, known) if what == "air" else {}:
        return _page(visit, campaign, what, given, differing, _UNPROCESSABLE)
    if action.effective_index(known) is not None:
        return visit.redirect(address_of(campaign_id, report=action.event_id))
    try:
        words = f"campaigns {'ack' if what == 'acknowledge' else what}", campaign_id
        reply = await visit.publish(action.event(campaign.owner), CONTENT_TYPE, *words, event_id=action.event_id)
    except (NotServed, OutcomeUnknown) as error:
        faults: Faults = {"": AWAY if isinstance(error, NotServed) else UNKNOWN}
        return _page(visit, campaign, what, given, faults, 503)
    if not reply.is_success:
        is_of_fields = reply.status == _UNPROCESSABLE
        faults = faults_of(reply.problem, FIELDS) if is_of_fields else {"": general_fault(reply.problem)}
        return _page(visit, campaign, what, given, faults, reply.status)
    (sent,) = reply.read(SendAnswer).receipt.events
    await _applied(visit, action, sent.address)
    return visit.redirect(address_of(campaign_id, report=action.event_id, address=sent.address))


async def _applied(visit: Visit, action: Action, address: str) -> None:
    """Wait until the report is final and the campaign shows it, or for the longest wait, or until it cannot be read."""
    index: int | None = None
    with suppress(TimeoutError, Problem, *TRANSIENT_ERRORS):
        async with asyncio.timeout(APPLIED_WAIT_S):
            while index is None:
                verdict = await verdict_of(visit, action.event_id, address)
                if verdict is not None and verdict.state in ("refused", "lost"):
                    return
                index = None if verdict is None else verdict.index
                if index is None:
                    await asyncio.sleep(LOOK_EVERY_S)
            while (await campaign_for(visit.reader, action.campaign_id)).log_index <= index:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)


async def _own(visit: Visit, campaign_id: str) -> CampaignAndHistory:
    """The campaign, which only its agency and its teams report about. Raises `Problem` (403)."""
    campaign = (await campaign_for(visit.reader, campaign_id)).document
    if not (may_report(visit.account, campaign) and await is_of_own_team(visit, campaign)):
        raise Problem("forbidden")
    return campaign


def _page(
    visit: Visit, campaign: CampaignAndHistory, what: What, given: Given, faults: Faults, status: int = 200
) -> Response:
    return visit.page(
        "campaigns/report.html",
        status,
        campaign=campaign,
        what=what,
        title=CORRECT if what == "correct" else NextAction(what),
        given=given,
        faults=faults,
        nouns=nouns,
    )
