"""The forms of reports: what somebody typed as a report, or what is wrong with it, field by field. Pure.

What is wrong with any form of the campaigns, as the gateway says it, is here too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final, get_args

from consumers.console.web.language import western
from consumers.console.web.typed import is_day
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
from producers.sdk.answers import Problem

Faults = dict[str, Bilingual | str]
"""By field; that of "" is of the whole form."""
Given = Mapping[str, str]

FIELDS: Final = ("by", "on", "channel", "outlet_ar", "outlet_en", "reach", "airing_id", "reason_ar", "reason_en")
_RENAMED: Final = {"id": "airing_id", "endpoint_id": "route"}
"""The fields that are not called as what they make."""
REACH_MAX: Final = 2**53 - 1
_SEPARATORS: Final = dict.fromkeys(map(ord, ", \u00a0\u202f"))
_DESK: Final = Bilingual(
    "اكتب رمز المكتب بحروف لاتينية وأرقام دون مسافات، مثل press-desk.",
    "Write the desk in Latin letters and digits without spaces, such as press-desk.",
)
_DATE: Final = Bilingual("اكتب تاريخًا ميلاديًا مثل 2026-11-26.", "Write a Gregorian date such as 2026-11-26.")
_AIRING_ID: Final = Bilingual(
    "اكتبه بحروف لاتينية وأرقام دون مسافات، مثل evening-2.",
    "Write it in Latin letters and digits without spaces, such as evening-2.",
)
_REACH: Final = Bilingual("اكتب عددًا صحيحًا مثل 250000.", "Write a whole number such as 250000.")
_REASON: Final = Bilingual("اكتب السبب.", "Write the reason.")
_MISSING: Final = Bilingual("اكتب اسم المحطة أو الصحيفة.", "Write the station or the paper.")
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
    return completion(campaign_id, on) if is_day(on) else {"on": _DATE}


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
            faults[f"outlet_{language}"] = _MISSING
    if not is_day(on):
        faults["on"] = _DATE
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
    faults |= {f"reason_{language}": _REASON for language, text in reason.items() if not text}
    try:
        action = correction(campaign, int(airing), reach or 0, reason, today)
    except (LookupError, ValueError):
        return faults | {"airing": Bilingual("اختر البث.", "Choose an airing.")}
    if reach is not None and action.effective_index(campaign) is not None:
        faults["reach"] = Bilingual("هذا العدد مسجل لهذا البث.", "The airing has this number already.")
    return faults or action


def _reach(given: Given) -> int | None:
    reach = western(given.get("reach", "")).translate(_SEPARATORS)
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


def faults_of(problem: Problem, fields: Collection[str]) -> Faults:
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


def general_fault(problem: Problem) -> Bilingual | str:
    """Why nothing was accepted, in the reader's language, as the gateway says it."""
    sentences = [error.detail for error in problem.errors] or [problem.title, problem.detail]
    return " ".join(filter(None, sentences)) or _UNTITLED
