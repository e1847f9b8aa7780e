"""`/campaigns/ID`: one campaign with its brief, why there is one, what was done and what is to be done."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Response

from consumers.api.parameters import PAGE_ROWS_MAX, Id
from consumers.api.resources.campaigns import InboxFilter, campaign_for, explanation_for, inbox_for
from consumers.console.accounts.accounts import Account
from consumers.console.page_request import Visit, Visiting, or_none, roles_of
from consumers.console.pages.campaigns.inbox import rule_name, rule_of, today_of
from consumers.console.web.language import Words
from consumers.delivery.plain_text import lines
from consumers.documents.campaigns import campaigns as nouns
from consumers.documents.campaigns.campaigns import CampaignAndHistory, CampaignState, NextAction, channel_list
from consumers.programme.campaigns.dates import in_words
from consumers.programme.campaigns.next_step import lateness, time_left, working_days
from consumers.programme.campaigns.rules.in_force import rules_in_force
from consumers.programme.campaigns.rules.rule import RuleSet
from events.values.bilingual import Bilingual
from events.wire.envelope import EVENT_ID_PATTERN
from producers.sdk.answers import Verdict
from producers.sdk.problems import NotServed

VERDICT_WAIT_S: Final = 3.0
"""Longer a page does not wait for what it can say without."""
_LINKED: Final = ("http://", "https://")
Kind = Literal["good", "bad", ""]
_CONFLICT: Final = "conflict"

routes = APIRouter()


def rule_sentence(rules: RuleSet, name: str) -> Bilingual | None:
    """What the rule asks of whom; None where no rule in force has this name."""
    rule = rule_of(rules, name)
    if rule is None:
        return None
    sentence = Bilingual("{}: تُبث الحملة في {} خلال {}.", "{}: the campaign is due on {} within {}.")
    within = working_days(rule.due_working_days, after_preposition=True)
    return sentence.format(rule_name(rules, name), channel_list(rule.channels), within)


def may_report(account: Account, campaign: CampaignAndHistory) -> bool:
    """Whether the account's agency is the one that reports about the campaign."""
    caller = account.caller()
    return caller is not None and caller.agency is not None and caller.agency.code == campaign.owner


async def is_of_own_team(visit: Visit, campaign: CampaignAndHistory) -> bool:
    """Whether the subscriptions of the account's team choose the campaign; of every other account: true."""
    if visit.account.role != "team":
        return True
    service = None if campaign.service is None else campaign.service.service_id
    asked = InboxFilter(team=visit.account.team, state="any", rule=campaign.rule, service=service)
    rows = await or_none(inbox_for(visit.reader, asked, "due", PAGE_ROWS_MAX), 404)
    # The agency may have no such team.
    return rows is not None and any(row.campaign_id == campaign.campaign_id for row in rows.document)


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
    campaign_id: Id,
    report: Annotated[str | None, Query(max_length=256)] = None,
    address: Annotated[str | None, Query(max_length=256)] = None,
) -> Response:
    answer = await campaign_for(visit.reader, campaign_id)
    found, today, rules = answer.document, today_of(visit), rules_in_force()
    reported, may_act = None, may_report(visit.account, found) and await is_of_own_team(visit, found)
    if report is not None and may_report(visit.account, found) and re.fullmatch(EVENT_ID_PATTERN.strip("^$"), report):
        verdict = None if address is None else await verdict_of(visit, report, address)
        reported = outcome(report, verdict, found, answer.log_index, was_sent=address is not None)
    explained = await or_none(explanation_for(visit.reader, campaign_id), 404)  # the campaign may be another agency's
    return visit.page(
        "campaigns/campaign.html",
        live=True,
        campaign=found,
        lateness=lateness(found, today),
        time_left=time_left(found.due_on, today),
        brief=brief_of(found),
        service_address=service_address(found),
        explanation=explained and explained.document,
        rule=rule_name(rules, found.rule),
        rule_sentence=rule_sentence(rules, found.rule),
        actions=actions_of(found) if may_act else [],
        may_audit=visit.account.role in roles_of("/audit"),
        reported=reported,
        nouns=nouns,
    )


@routes.get("/campaigns/{campaign_id}/brief")
async def brief_page(visit: Visiting, campaign_id: Id) -> Response:
    """The brief in both languages on a sheet of paper."""
    found = (await campaign_for(visit.reader, campaign_id)).document
    return visit.page(
        "campaigns/brief.html",
        campaign=found,
        brief=brief_of(found),
        due=in_words(found.due_on),
        languages=(visit.words, Words(visit.words.other)),
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """A notice: its kind, its title, and a sentence. `first`: who acknowledged, where somebody else was first."""

    kind: Kind
    title: Bilingual
    text: Bilingual | None = None
    first: str | None = None
    index: int | None = None
    faults: tuple[str, ...] = ()


_LOST: Final = Outcome(
    "bad",
    Bilingual("فُقد التقرير، ولم يتغير شيء", "The report was lost. Nothing changed"),
    Bilingual("لم يصل إلى السجل: أرسله من جديد.", "It did not reach the log: send it again."),
)
_CHANGED_NOTHING: Final = Outcome(
    "",
    Bilingual("لم يغيّر القيد شيئًا", "The entry changed nothing"),
    Bilingual("السبب مذكور أدناه في «ما جرى».", "The history below says why."),
)
_ON_ITS_WAY: Final = Outcome(
    "",
    Bilingual("التقرير في طريقه إلى السجل", "The report is on its way to the log"),
    Bilingual("تظهر النتيجة في هذه الصفحة بعد لحظات.", "This page shows the result in a moment."),
)


def effective_index(event_id: str, campaign: CampaignAndHistory) -> int | None:
    """The entry by which the campaign has what the report says; None where it has not."""
    what, _, _ = event_id.partition(".")
    if what == "ack":
        return campaign.acknowledged_index
    if what == "complete":
        return campaign.completed_index
    for row in campaign.airings or ():
        airing = f"{campaign.campaign_id}.{row.airing_id}"
        if event_id == f"air.{airing}":
            return row.index
        if event_id.rpartition(".i")[0] == f"correct.{airing}" and not event_id.endswith(f".i{row.last_index}"):
            return row.corrected_index
    return None


def outcome(
    event_id: str, verdict: Verdict | None, campaign: CampaignAndHistory, log_index: int, *, was_sent: bool
) -> Outcome | None:
    """What to say about a report. None for one that is not about this campaign.

    `log_index` is the number of entries that the campaign shows.
    """
    if not event_id.partition(".")[2].startswith(campaign.campaign_id):
        return None
    effective = effective_index(event_id, campaign)
    state, index = (None, None) if verdict is None else (verdict.state, verdict.index)
    if not was_sent:
        return _in_effect(event_id, campaign, effective)
    if state in ("registered", "duplicate") and index is not None:
        if index == effective:
            return _recorded(index, is_repeat=state == "duplicate")
        if index >= log_index:
            return _ON_ITS_WAY
        return _in_effect(event_id, campaign, effective) or replace(_CHANGED_NOTHING, index=index)
    if verdict is not None and state == "refused":
        if effective is not None and {error.code for error in verdict.errors} == {_CONFLICT}:
            return _in_effect(event_id, campaign, effective)
        title = Bilingual("رُفض التقرير، ولم يتغير شيء", "The report was refused. Nothing changed")
        return Outcome("bad", title, index=index, faults=tuple(error.detail for error in verdict.errors))
    if effective is not None:
        return _recorded(effective, is_repeat=False)
    return _LOST if state == "lost" else _ON_ITS_WAY


def _recorded(index: int, *, is_repeat: bool) -> Outcome:
    if is_repeat:
        title = Bilingual("سبق تسجيله، ولم يتكرر شيء", "It was reported before. Nothing was counted twice")
        return Outcome("good", title, index=index)
    return Outcome("good", Bilingual("سُجّل", "Recorded"), index=index)


_IN_EFFECT: Final = {
    "ack": Bilingual("استُلمت الحملة من قبل، ولم يتغير شيء", "Acknowledged already. Nothing changed"),
    "air": Bilingual("سُجّل هذا البث من قبل، ولم يتغير شيء", "This airing is recorded already. Nothing changed"),
    "complete": Bilingual("اكتملت من قبل، ولم يتغير شيء", "Completed already. Nothing changed"),
    "correct": Bilingual("المعتد به تصحيح آخر لهذا البث", "Another correction of this airing counts"),
}
"""What a report's id begins with → what is said where the campaign has it, from somebody else or from before."""


def _in_effect(event_id: str, campaign: CampaignAndHistory, effective: int | None) -> Outcome | None:
    if effective is None:
        return None
    what, _, _ = event_id.partition(".")
    first = campaign.acknowledged_by if what == "ack" else None
    return Outcome("", _IN_EFFECT[what], first=first, index=effective)
