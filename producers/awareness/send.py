"""Sends a report through the gateway and waits until it is applied to the campaign.

The campaign is read first: nothing is sent about one that the log does not have, or that another agency owns. What is
in the log under the event's id already is not sent again. Everything else the log decides.

The sentences before and after a report are here too, in both languages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

from events.errors import Reject
from events.reports.campaign_reports import Action, Campaign
from events.types.awareness import (
    AwarenessCampaignAcknowledged,
    AwarenessCampaignAired,
    AwarenessCampaignAiringCorrected,
    AwarenessCampaignCompleted,
)
from events.validation.verdicts import Agency
from events.values.bilingual import Bilingual, joined
from events.values.working_days import riyadh_minute
from infra.errors import WaitTimedOut
from producers.errors import OutcomeUnknown
from producers.sdk.client import AgencyClient
from producers.sdk.problems import GatewayProblem, RefusedByRegistrar
from producers.sdk.typed_events import require_form

Effect = Literal["applied", "repeated", "superseded"]
_LOOK_EVERY_S: Final = 0.2
_NOT_FOUND: Final = 404
_CONFLICT: Final = "conflict"


class UnknownCampaign(Reject):
    """The log has no such campaign: `yesser campaigns inbox` lists those of your agency. Nothing was sent."""


class UnknownAiring(Reject):
    """The campaign has no airing of this entry: `yesser campaigns show` lists its airings. Nothing was sent."""


class NotTheOwner(Reject):
    """Another agency owns the campaign: only its owner reports about it. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of a report, and the campaign after it.

    `index` is the event's entry. *repeated*: it was in the log before. *superseded*: the campaign already had what it
    reports from another desk or with other figures, so it changed nothing. `index` is None where the event has no entry
    of its own.
    """

    effect: Effect
    index: int | None
    campaign: Campaign


async def report(
    client: AgencyClient, agency: str, action: Action, warn: Callable[[Bilingual], None], timeout_s: float
) -> Reported:
    """Send the action as `agency`. Raises `UnknownCampaign`, `NotTheOwner`, `FaultyEvent`, and the client's errors."""
    event = action.event(agency)
    require_form(event, Agency(agency, "office"))
    campaign = await own_campaign(client, agency, action.campaign_id)
    known = await _known_index(client, action.event_id)
    for sentence in warnings(action, campaign) if known is None else ():
        warn(sentence)
    if known is not None:
        campaign = await _applied(client, action, known, timeout_s)
        is_same = known == action.effective_index(campaign) and action.is_in_effect(campaign)
        return Reported("repeated", known, campaign) if is_same else Reported("superseded", None, campaign)
    index, is_duplicate = await _register(client, event, timeout_s)
    if index is None:
        _, campaign = await _read(client, action.campaign_id)
        return Reported("superseded", None, campaign)
    campaign = await _applied(client, action, index, timeout_s)
    if index != action.effective_index(campaign):
        return Reported("superseded", index, campaign)
    return Reported("repeated" if is_duplicate else "applied", index, campaign)


async def own_campaign(client: AgencyClient, agency: str, campaign_id: str) -> Campaign:
    """The campaign. Raises `UnknownCampaign`, `NotTheOwner`."""
    _, campaign = await _read(client, campaign_id)
    if campaign["owner"] != agency:
        raise NotTheOwner(f"{campaign_id} is of {campaign['owner']}, not {agency}. {NotTheOwner.__doc__}")
    return campaign


async def _read(client: AgencyClient, campaign_id: str) -> tuple[int, Campaign]:
    """The campaign, and the number of entries applied to it."""
    try:
        return await client.read(f"/v1/campaigns/{quote(campaign_id, safe='')}")
    except GatewayProblem as error:
        if error.problem.status == _NOT_FOUND:
            raise UnknownCampaign(f"{campaign_id}: {UnknownCampaign.__doc__}") from None
        raise


async def _known_index(client: AgencyClient, event_id: str) -> int | None:
    """The entry that has the id already, or None."""
    try:
        verdict = await client.status(event_id)
    except GatewayProblem as error:
        if error.problem.status == _NOT_FOUND:
            return None
        raise
    return verdict.index if verdict.state in ("registered", "duplicate") else None


async def _register(client: AgencyClient, event: bytes, timeout_s: float) -> tuple[int | None, bool]:
    """The event's entry, and whether it was there before; no entry where another event took the id meanwhile."""
    try:
        receipt = await client.send(event)
        registered = await client.wait_registered(receipt, timeout_s)
    except GatewayProblem as error:
        if error.may_be_stored:
            raise OutcomeUnknown(f"{error} {OutcomeUnknown.__doc__}") from error
        raise
    except RefusedByRegistrar as refused:
        if {error.code for error in refused.verdict.errors} == {_CONFLICT}:
            return None, False
        raise
    return registered.index, registered.state == "duplicate"


async def _applied(client: AgencyClient, action: Action, index: int, timeout_s: float) -> Campaign:
    """The campaign once entry `index` is applied. Raises `WaitTimedOut`."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        applied, campaign = await _read(client, action.campaign_id)
        if applied > index:
            return campaign
        if asyncio.get_running_loop().time() > deadline:
            raise WaitTimedOut(
                f"{action.event_id} is entry {index}, and was not applied within {timeout_s:g} s: the same command"
                " shows later what it changed."
            )
        await asyncio.sleep(_LOOK_EVERY_S)


def warnings(action: Action, campaign: Campaign) -> Iterator[Bilingual]:
    """What the sender should know before the event is sent. The log decides."""
    if action.effective_index(campaign) is not None:
        yield in_effect(action, campaign)
    if isinstance(action.data, AwarenessCampaignCompleted) and campaign["missing_channels"]:
        sentence = Bilingual("لم تُبث الحملة بعد في: {}.", "The campaign has no airing yet on: {}.")
        yield sentence.format(joined(campaign["missing_channels"]))


def in_effect(action: Action, campaign: Campaign) -> Bilingual:
    """Which entry has what the action reports, and who acknowledged."""
    index = action.effective_index(campaign)
    match action.data:
        case AwarenessCampaignAcknowledged():
            by = campaign["acknowledged_by"]
            at = riyadh_minute(campaign["acknowledged_at"])
            sentence = Bilingual("استلم الحملة مكتب {} في {} بالقيد {}.", "Acknowledged by {} at {}, entry {}.")
            return sentence.format(by, at, index)
        case AwarenessCampaignCompleted():
            return Bilingual("اكتملت الحملة بالقيد {}.", "Completed by entry {}.").format(index)
        case AwarenessCampaignAired(airing_id=airing_id):
            command = f"yesser campaigns correct {action.campaign_id} {index} --reach NUMBER …"
            sentence = Bilingual(
                "البث {} مسجل بالقيد {}. يُصحَّح وصوله بالأمر: {}",
                "The airing {} is entry {}. To correct its reach: {}",
            )
            return sentence.format(airing_id, index, command)
        case AwarenessCampaignAiringCorrected(reach=reach):
            sentence = Bilingual("وصول هذا البث {} بالقيد {}.", "The airing's reach is {} by entry {}.")
            return sentence.format(reach, index)


def next_step(campaign: Campaign) -> Bilingual | None:
    """What the team does next; None once the campaign is completed or while it is paused."""
    campaign_id = campaign["campaign_id"]
    match campaign["next_action"]:
        case "acknowledge":
            command = f"yesser campaigns ack {campaign_id} --by DESK"
        case "air":
            missing = campaign["missing_channels"][0]
            command = f"yesser campaigns air {campaign_id} --channel {missing} …"
        case "complete":
            command = f"yesser campaigns complete {campaign_id}"
        case _:
            return None
    return Bilingual("التالي: {}", "Next: {}").format(command)
