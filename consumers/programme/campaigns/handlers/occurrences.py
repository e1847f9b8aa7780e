"""What the rules are told of each moment: the cause, the agency concerned, and the values of the placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from consumers.programme.campaigns.handlers.rules import Agency, Occurrence
from consumers.programme.campaigns.handlers.texts import fill, text_in
from consumers.programme.campaigns.rules.rule import ADDRESS_MAX, GROUP_COMPLETED, QUOTA_MET, Rule, Text
from consumers.programme.projections.handlers.outcome import Applied
from consumers.programme.projections.handlers.services import Service
from consumers.programme.projections.handlers.training import CounterKey
from events.values.calendar import hijri_of
from events.values.data import Data
from events.wire.entry import Entry

_TRACKS: Final = {
    "usage": {"ar": "الاستخدام", "en": "usage"},
    "specialist": {"ar": "التخصص", "en": "specialist"},
    "leadership": {"ar": "القيادة", "en": "leadership"},
}
_YEARS: Final = {
    "gregorian": {"ar": "{} م", "en": "{} CE"},
    "umm-al-qura": {"ar": "{} هـ", "en": "{} AH"},
}
_CHANNELS: Final = {
    "web": {"ar": "الويب", "en": "web"},
    "mobile": {"ar": "الجوال", "en": "mobile"},
    "kiosk": {"ar": "أجهزة الخدمة الذاتية", "en": "kiosk"},
    "phone": {"ar": "الهاتف", "en": "phone"},
    "counter": {"ar": "مكاتب الخدمة", "en": "counter"},
}
_NO_ADDRESS: Final = {"ar": "بلا عنوان إلكتروني", "en": "no web address"}
_NOT_LAUNCHED: Final = {"ar": "لم تُطلق", "en": "not launched"}


@dataclass(frozen=True, slots=True)
class Owners:
    """Who can own a campaign: the first office, and the agencies by code with their names."""

    office: str | None
    names: Mapping[str, Text] = field(default_factory=dict)

    def of(self, rule: Rule, agency: str) -> Agency | None:
        """The owner that `rule` names; `agency` owns the service or announced. None where that is the office and none
        is known yet: by dates of occurrence, a service can be launched before the office was registered."""
        code = self.office if rule.owner == "office" else agency
        if code is None:
            return None
        return Agency(code, self.names.get(code, {"ar": code, "en": code}))


def of_service(fact: Applied, service: Service) -> Occurrence:
    """A service was launched, resumed or retired."""
    parts, service_id = service_parts(service), service.service_id
    return Occurrence(fact.type, fact.index, fact.recorded, parts, fact.owner, service_id=service_id)


def of_announcement(entry: Entry) -> Occurrence:
    """An initiative, a workshop or a framework was announced, held or published."""
    parts = {name: text_in(value, entry.index) for name, value in entry.data.items()}
    parts["on_hijri"] = hijri_of(entry.data["on"])
    return Occurrence(entry.type, entry.index, entry.recorded, parts, entry.agency)


def of_group(entry: Entry, plan_id: str, group: int, figure: int, target: int) -> Occurrence:
    """The launched services of a group of the shown plan, at an entry that may have changed them."""
    parts = {"plan_id": plan_id, "group": group}
    return Occurrence(
        GROUP_COMPLETED, entry.index, entry.recorded, parts, part=str(group), figure=figure, target=target
    )


def of_quota(entry: Entry, key: CounterKey, figure: int, target: int) -> Occurrence:
    """The net certificates of a quota, at an entry that changed them or its seats."""
    calendar, year, track = key
    in_words = {language: text.format(year) for language, text in _YEARS[calendar].items()}
    parts = {"track": _TRACKS[track], "year": in_words}
    return Occurrence(QUOTA_MET, entry.index, entry.recorded, parts, part=quota_part(key), figure=figure, target=target)


def quota_part(key: CounterKey) -> str:
    """`gregorian-2026-usage`"""
    return "-".join(map(str, key))


def service_parts(service: Service) -> Data:
    """The placeholders of a service."""
    on = service.launched_on
    return {
        "name": service.name,
        "service_id": service.service_id,
        "address": _address(service),
        "channels": _listed(service.channels or []),
        "launched_on": on or _NOT_LAUNCHED,
        "launched_on_hijri": hijri_of(on) if on else _NOT_LAUNCHED,
        "group": service.group_number,
        "plan_id": service.plan_id,
    }


def _address(service: Service) -> Any:
    """As the agency gave it. Quotation by isolation follows where it is filled in."""
    if service.url is None:
        return _NO_ADDRESS
    if len(service.url) > ADDRESS_MAX:
        template = {"ar": "عنوانها في القيد {index}", "en": "see entry {index} for its address"}
        return fill(template, {"index": f"i{service.launched_index}"})
    return service.url


def _listed(channels: list[Any]) -> Text:
    """Each channel once, in the agency's order."""
    words = [_CHANNELS[channel] for channel in dict.fromkeys(channels)]
    return {"ar": "، ".join(word["ar"] for word in words), "en": ", ".join(word["en"] for word in words)}
