"""`/campaigns/ID/acknowledge | air | correct | complete`: a team's reports, sent through the gateway as its agency.

What somebody typed is a report, or what is wrong with it, field by field; what is wrong with any form of the campaigns,
as the gateway says it, is here too. A report's bytes follow from what it says, so that sending it twice is a duplicate
and never a second fact. What the campaign has already is not sent.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Final, Literal, get_args

from fastapi import APIRouter, Response
from msgspec import to_builtins

from consumers.api.parameters import Id
from consumers.api.resources.campaigns import campaign_for
from consumers.console.page_request import Visit, Visiting
from consumers.console.pages.campaigns.campaign import address_of, is_of_own_team, may_report, verdict_of
from consumers.console.pages.campaigns.inbox import today_of
from consumers.console.web.language import SPACES, is_day, number_text, western
from consumers.documents.campaigns import campaigns as nouns
from consumers.documents.campaigns.campaigns import CORRECT, CampaignAndHistory, NextAction
from events.reports.campaign_reports import (
    Action,
    Airing,
    Campaign,
    acknowledgement,
    airing_report,
    completion,
    correction,
)
from events.values.bilingual import Bilingual
from events.values.fields import ID_PATTERN, Channel
from infra.http.problems import Problem
from infra.postgres.connection import TRANSIENT_ERRORS
from producers.sdk import answers
from producers.sdk.answers import SendAnswer
from producers.sdk.problems import NotServed, OutcomeUnknown

Faults = dict[str, Bilingual | str]
"""By field; that of "" is of the whole form."""
Given = Mapping[str, str]

FIELDS: Final = ("by", "on", "channel", "outlet_ar", "outlet_en", "reach", "airing_id", "reason_ar", "reason_en")
_RENAMED: Final = {"id": "airing_id", "endpoint_id": "route"}
"""The fields that are not called as what they make."""
REACH_MAX: Final = 2**53 - 1
_DESK: Final = Bilingual(
    "اكتب رمز المكتب بحروف لاتينية وأرقام دون مسافات، مثل press-desk.",
    "Write the desk in Latin letters and digits without spaces, such as press-desk.",
)
_DATE: Final = Bilingual("اكتب تاريخًا ميلاديًا مثل 2026-11-26.", "Write a Gregorian date such as 2026-11-26.")
_TO_COME: Final = Bilingual(
    "هذا اليوم لم يأت بعد، واليوم {}: سجّل ما جرى.", "This day is still to come; today is {}. Report what has happened."
)
_AIRING_ID: Final = Bilingual(
    "اكتبه بحروف لاتينية وأرقام دون مسافات، مثل evening-2.",
    "Write it in Latin letters and digits without spaces, such as evening-2.",
)
_REACH: Final = Bilingual("اكتب عددًا صحيحًا مثل 250000.", "Write a whole number such as 250000.")
_REASONS: Final = {
    "ar": Bilingual("اكتب السبب بالعربية.", "Write the reason in Arabic."),
    "en": Bilingual("اكتب السبب بالإنجليزية.", "Write the reason in English."),
}
_OUTLETS: Final = {
    "ar": Bilingual("اكتب اسم المحطة أو الصحيفة بالعربية.", "Write the station or the paper in Arabic."),
    "en": Bilingual("اكتب اسم المحطة أو الصحيفة بالإنجليزية.", "Write the station or the paper in English."),
}
AWAY: Final = Bilingual(
    "البوابة لا تجيب الآن، ولم يُرسل شيء. أعد المحاولة بعد قليل؛ ما كتبته باقٍ هنا.",
    "The gateway does not answer. Nothing was sent. Try again in a moment: what you typed is still here.",
)
UNKNOWN: Final = Bilingual(
    "لم تجب البوابة في الوقت المحدد، وقد يكون الطلب وصل. أرسله مرة أخرى: لا يُحتسب مرتين.",
    "The gateway did not answer in time, and may have stored this. Send it again: it is not counted twice.",
)
_UNTITLED: Final = Bilingual("تعذر الإرسال. أعد المحاولة.", "This could not be sent. Try again.")


def read_acknowledgement(campaign_id: str, given: Given, today: str) -> Action | Faults:
    by = given.get("by", "").strip()
    if not re.fullmatch(ID_PATTERN.strip("^$"), by):
        return {"by": _DESK}
    return acknowledgement(campaign_id, by, today)


def read_completion(campaign_id: str, given: Given, today: str) -> Action | Faults:
    on = western(given.get("on", "")).strip() or today
    fault = _day_fault(on, today)
    return {"on": fault} if fault else completion(campaign_id, on)


def read_airing(campaign_id: str, given: Given, today: str) -> Action | Faults:
    faults: Faults = {}
    channel, on = given.get("channel", ""), western(given.get("on", "")).strip() or today
    reach = _reach(given)
    airing_id = given.get("airing_id", "").strip() or None
    outlet = {language: given.get(f"outlet_{language}", "").strip() for language in ("ar", "en")}
    if channel not in get_args(Channel):
        faults["channel"] = Bilingual("اختر الوسيلة.", "Choose a channel.")
    for language, name in outlet.items():
        if not name:
            faults[f"outlet_{language}"] = _OUTLETS[language]
    if fault := _day_fault(on, today):
        faults["on"] = fault
    if reach is None:
        faults["reach"] = _REACH
    if airing_id is not None and not re.fullmatch(ID_PATTERN.strip("^$"), airing_id):
        faults["airing_id"] = _AIRING_ID
    if faults or reach is None:
        return faults
    medium: Any = channel
    return airing_report(campaign_id, Airing(medium, outlet, reach, on, airing_id))


def read_correction(campaign: Campaign, given: Given, today: str) -> Action | Faults:
    """`airing` is the entry of the airing."""
    faults: Faults = {}
    airing, reach = given.get("airing", ""), _reach(given)
    reason = {language: given.get(f"reason_{language}", "").strip() for language in ("ar", "en")}
    if reach is None:
        faults["reach"] = _REACH
    faults |= {f"reason_{language}": _REASONS[language] for language, text in reason.items() if not text}
    try:
        action = correction(campaign, int(airing), reach or 0, reason, today)
    except (LookupError, ValueError):
        return faults | {"airing": Bilingual("اختر البث.", "Choose an airing.")}
    if reach is not None and action.effective_index(campaign) is not None:
        faults["reach"] = Bilingual("هذا العدد مسجل لهذا البث.", "The airing has this number already.")
    return faults or action


def _day_fault(on: str, today: str) -> Bilingual | None:
    """What is wrong with the day of something done: in the log it could not be taken back."""
    if not is_day(on):
        return _DATE
    return _TO_COME.format(today) if on > today else None


def _reach(given: Given) -> int | None:
    reach = number_text(given.get("reach", ""), SPACES)
    return int(reach) if re.fullmatch(r"[0-9]{1,16}", reach) and int(reach) <= REACH_MAX else None


def differing_airing(action: Action, campaign: Mapping[str, Any]) -> Faults:
    """The fault of an airing whose id the campaign has with other figures: a second one needs an id of its own."""
    index = action.effective_index(campaign)
    if index is None or action.is_in_effect(campaign):
        return {}
    return {
        "airing_id": Bilingual(
            "سُجّل بث هذا المنفذ في هذا اليوم بالقيد {} وبأرقام أخرى. إن كان هذا بثًا ثانيًا فاكتب له معرّفًا، وإن كان العدد"
            " خطأ فصحّحه من صفحة الحملة.",
            "Entry {} has an airing of this outlet on this day, with other figures. If this is a second airing,"
            " give it an id. If the number was wrong, correct it from the campaign's page.",
        ).format(index)
    }


def faults_of(problem: answers.Problem, fields: Collection[str]) -> Faults:
    """The faults of a form, as the gateway lists them; those of no field belong to the whole form.

    `/data/outlet/ar` is of the field `outlet_ar`, and `/contacts/1` of `contacts`.
    """
    found: Faults = {}
    for error in problem.errors:
        first, _, rest = error.pointer.removeprefix("/data").lstrip("/").partition("/")
        first = _RENAMED.get(first, first)
        name = next((name for name in (f"{first}_{rest}", first) if name in fields), "")
        found.setdefault(name, error.detail)
    return found or {"": general_fault(problem)}


def general_fault(problem: answers.Problem) -> Bilingual | str:
    """Why nothing was accepted, in the reader's language, as the gateway says it."""
    sentences = [error.detail for error in problem.errors] or [problem.title, problem.detail]
    return " ".join(filter(None, sentences)) or _UNTITLED


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
