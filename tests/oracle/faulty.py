"""Lines that the registrar refuses, each with its faults by construction.

A recipe spoils a good event and says which faults that makes. A pointer of None is one that the contract leaves open.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from tests.oracle.log import JsonObject, make_event
from tests.oracle.words import personal_number, text

ExpectedFault: TypeAlias = tuple[str, str | None]
Recipe: TypeAlias = Callable[["Spoiler"], list[ExpectedFault]]
TERMS: JsonObject = {
    "starts_on": "2005-01-10", "ends_on": "2005-03-05", "calendar": "gregorian", "period": "month",
    "tier_basis": "lifetime",
    "bands": [{"up_to_halalas": 1000, "partner_bp": 7000}, {"up_to_halalas": None, "partner_bp": 5000}],
    "cap": None, "guarantee": None,
    "expected": [{"period": f"2005-0{month}", "amount_halalas": 1} for month in (1, 2, 3)],
}  # fmt: skip
SAMPLES: dict[str, tuple[str, JsonObject]] = {
    "awareness.initiative-announced": ("initiative/BAD", {"initiative_id": "BAD", "on": "2005-05-05"}),
    "awareness.campaign-aired": (
        "campaign/BAD",
        {"campaign_id": "BAD", "airing_id": "A", "channel": "tv", "on": "2005-05-05", "reach": 10},
    ),
    "revenue.collected": (
        "partnership/P-BAD",
        {
            "partnership_id": "P-BAD", "receipt_id": "R-BAD", "service_id": "S", "amount_halalas": 100,
            "collected_on": "2005-05-05", "receipts": 1,
        },
    ),
    "revenue.period-closed": ("partnership/P-BAD", {"partnership_id": "P-BAD", "period": "1426-03"}),
    "partnership.signed": (
        "partnership/P-BAD",
        {"partnership_id": "P-BAD", "services": ["S"], "signed_on": "2005-05-05", "terms": TERMS},
    ),
    "project.registered": ("project/J-BAD", {"project_id": "J-BAD", "plan_id": "P", "kind": "infrastructure"}),
    "service.launched": ("service/S-BAD", {"service_id": "S-BAD", "on": "2005-05-05", "channels": ["web"]}),
    "training.certified": (
        "trainee/trn_aaaaaaaaaaaaaaaa",
        {
            "certificate_id": "C", "trainee": "trn_aaaaaaaaaaaaaaaa", "track": "usage", "on": "2005-05-05",
            "employer": "health",
        },
    ),
}  # fmt: skip
TEXTS = {
    "awareness.initiative-announced": ("name", "aim"),
    "awareness.campaign-aired": ("outlet",),
    "partnership.signed": ("legal_basis",),
    "project.registered": ("name",),
}


@dataclass
class Spoiler:
    """A good event that is being spoiled."""

    random: Random
    agency: str
    event: JsonObject

    @property
    def data(self) -> JsonObject:
        data: JsonObject = self.event["data"]
        return data

    def start(self, name: str) -> None:
        """Begin with a good event of that type."""
        subject, data = SAMPLES[name]
        data = json.loads(json.dumps(data))
        data |= {field: text(self.random) for field in TEXTS.get(name, ())}
        if name == "partnership.signed":
            data["partner"] = {"partner_id": "CO", "name": text(self.random)}
        if name == "project.registered":
            data["phases"] = [{"phase": n, "name": text(self.random)} for n in (1, 2)]
        self.event = make_event(name, self.agency, subject, data, self.event["id"])


def set_attribute(name: str, value: object, *codes: str) -> Recipe:
    """An envelope attribute with a wrong value."""

    def spoil(spoiler: Spoiler) -> list[ExpectedFault]:
        spoiler.start("awareness.initiative-announced")
        spoiler.event[name] = value
        return [(code, f"/{name}") for code in codes or ("invalid-value",)]

    return spoil


def drop_attribute(name: str) -> Recipe:
    """A required attribute that is not there, or is null."""

    def spoil(spoiler: Spoiler) -> list[ExpectedFault]:
        spoiler.start("awareness.initiative-announced")
        if name in ("specversion", "source") or spoiler.random.random() < 0.3:  # the command fills in absent ones
            spoiler.event[name] = None
        else:
            del spoiler.event[name]
        return [("missing-field", f"/{name}")]

    return spoil


def set_field(type_name: str, path: str, value: object, code: str = "invalid-value", at: str | None = "") -> Recipe:
    """A member somewhere in data with a wrong value; the fault is at the member, or `at` that pointer (None: open)."""

    def spoil(spoiler: Spoiler) -> list[ExpectedFault]:
        spoiler.start(type_name)
        _assign(spoiler.data, path.split("/"), json.loads(json.dumps(value)))
        return [(code, f"/data/{path}" if at == "" else at)]

    return spoil


def drop_field(type_name: str, path: str) -> Recipe:
    """A member of data that is not there."""

    def spoil(spoiler: Spoiler) -> list[ExpectedFault]:
        spoiler.start(type_name)
        *parents, last = path.split("/")
        target = spoiler.data
        for step in parents:
            target = target[step]
        del target[last]
        return [("missing-field", f"/data/{path}")]

    return spoil


def _assign(target: JsonObject, steps: list[str], value: object) -> None:
    for step in steps[:-1]:
        target = target[int(step)] if isinstance(target, list) else target[step]
    if isinstance(target, list):
        target[int(steps[-1])] = value
    else:
        target[steps[-1]] = value


def personal(type_name: str, path: str, also: tuple[str, ...] = (), *, luhn: bool = True) -> Recipe:
    """A national id as a whole value somewhere in data (and in the subject where that names it)."""

    def spoil(spoiler: Spoiler) -> list[ExpectedFault]:
        spoiler.start(type_name)
        number = personal_number(spoiler.random, luhn=luhn)
        _assign(spoiler.data, path.split("/"), number)
        for name in also:
            spoiler.event[name] = str(spoiler.event[name]).partition("/")[0] + "/" + number
        if not luhn:
            return [("id-looks-personal", f"/data/{path}")]
        return [("personal-data", f"/data/{path}"), *(("personal-data", f"/{name}") for name in also)]

    return spoil


def personal_in_text(spoiler: Spoiler) -> list[ExpectedFault]:
    """In a sentence, in Arabic or Persian digits too."""
    spoiler.start("awareness.initiative-announced")
    number = personal_number(spoiler.random)
    folded = spoiler.random.choice((number, _in_digits(number, 0x660), _in_digits(number, 0x6F0)))
    spoiler.data["aim"]["ar"] = f"رقم {folded}، شكرا"
    return [("personal-data", "/data/aim/ar")]


def _in_digits(number: str, zero: int) -> str:
    return "".join(chr(zero + int(digit)) for digit in number)


def personal_name(spoiler: Spoiler) -> list[ExpectedFault]:
    """A national id as a name: its pointer is the parent's."""
    spoiler.start("awareness.initiative-announced")
    spoiler.data[personal_number(spoiler.random)] = 1
    return [("personal-data", "/data"), ("unknown-field", "/data")]


def personal_extension(spoiler: Spoiler) -> list[ExpectedFault]:
    """A national id in an extension attribute."""
    spoiler.start("awareness.initiative-announced")
    spoiler.event["correlationid"] = personal_number(spoiler.random)
    return [("personal-data", "/correlationid")]


def foreign_source(spoiler: Spoiler) -> list[ExpectedFault]:
    """Another agency's source."""
    spoiler.start("awareness.initiative-announced")
    spoiler.event["source"] = "urn:yesser:agency:nobody"
    return [("foreign-source", "/source")]


def not_authorised(spoiler: Spoiler) -> list[ExpectedFault]:
    """What only the platform may say."""
    data = {"code": "mine", "name": text(spoiler.random), "role": "agency"}
    name = "registry.agency-registered"
    spoiler.event = make_event(name, spoiler.agency, "agency/mine", data, spoiler.event["id"])
    return [("not-authorised", "/type")]


def several(spoiler: Spoiler) -> list[ExpectedFault]:
    """Three faults at once."""
    spoiler.start("revenue.collected")
    spoiler.data["amount_halalas"], spoiler.data["remark"] = 0, "x"
    del spoiler.data["receipts"]
    return [
        ("invalid-value", "/data/amount_halalas"),
        ("missing-field", "/data/receipts"),
        ("unknown-field", "/data/remark"),
    ]


AIRED, INITIATIVE, SIGNED = "awareness.campaign-aired", "awareness.initiative-announced", "partnership.signed"
COLLECTED, LAUNCHED, PROJECT = "revenue.collected", "service.launched", "project.registered"
RECIPES: list[Recipe] = [
    *(drop_attribute(name) for name in ("specversion", "id", "source", "type", "subject", "time", "data")),
    set_attribute("specversion", "0.3"),
    set_attribute("id", ""),
    set_attribute("id", "a b"),
    set_attribute("source", "interior"),
    set_attribute("source", "urn:yesser:agency:Health"),
    set_attribute("type", "sa.gov.yesser.service.exploded.v1", "unknown-type"),
    set_attribute("type", "sa.gov.yesser.service.launched.v2", "unknown-type"),
    set_attribute("subject", "initiative/BAD-2", "subject-mismatch"),
    set_attribute("time", "2005-05-05T05:05:05"),
    set_attribute("time", "2005-02-30T05:05:05Z"),
    set_attribute("time", "2005-05-05T23:59:60Z"),
    set_attribute("time", "1924-12-31T23:59:59Z", "date-out-of-range"),
    set_attribute("time", "2078-01-01T00:00:00+03:00", "date-out-of-range"),
    set_attribute("datacontenttype", "text/plain"),
    set_attribute("dataschema", "urn:yesser:schema:sa.gov.yesser.service.launched.v1"),
    set_attribute("data", "{}"),
    set_attribute("data", [1]),
    set_attribute("data_base64", "e30=", "unknown-field"),
    set_attribute("remark", "x", "unknown-field"),
    set_attribute("sequence", "1"),
    set_attribute("sequence", "0" * 20),
    set_attribute("sequence", 7),
    set_attribute("correlationid", ""),
    set_attribute("correlationid", "x" * 257),
    set_attribute("partitionkey", "a\tb"),
    set_attribute("hijridate", "1425/4/5"),
    set_field(INITIATIVE, "name", None),
    set_field(INITIATIVE, "name", "x"),
    set_field(INITIATIVE, "name/ar", " \n"),
    set_field(INITIATIVE, "name/ar", ""),
    set_field(INITIATIVE, "name/en", "bell \u0007"),
    set_field(INITIATIVE, "name/en", "x" * 2001),
    set_field(INITIATIVE, "name/en", "nul \u0000"),
    set_field(INITIATIVE, "name/en", "half \ud83c"),
    set_field(INITIATIVE, "name/fr", "x", "unknown-field"),
    set_field(INITIATIVE, "on", "2005-02-30"),
    set_field(INITIATIVE, "on", "2005-5-5"),
    set_field(INITIATIVE, "on", "1924-07-31", "date-out-of-range"),
    set_field(INITIATIVE, "on", "2077-11-17", "date-out-of-range"),
    drop_field(INITIATIVE, "aim"),
    drop_field(INITIATIVE, "name/ar"),
    set_field(AIRED, "channel", "cinema"),
    set_field(AIRED, "reach", -1),
    set_field(AIRED, "reach", True),
    set_field(AIRED, "reach", 2**53, "number-out-of-range"),
    set_field(AIRED, "reach", -(2**53), "number-out-of-range"),
    set_field(AIRED, "reach", 10**40, "number-out-of-range"),
    set_field(AIRED, "airing_id", "-a"),
    set_field(AIRED, "airing_id", "a" * 65),
    set_field(COLLECTED, "amount_halalas", 0),
    set_field(COLLECTED, "amount_halalas", 100.5),
    set_field(COLLECTED, "amount_halalas", 100.0),
    set_field(COLLECTED, "amount_halalas", "100"),
    set_field(COLLECTED, "receipts", 0),
    set_field("revenue.period-closed", "period", "1426-13"),
    set_field("revenue.period-closed", "period", "1426-Q5"),
    set_field("revenue.period-closed", "period", "1426-3"),
    set_field("training.certified", "certificate_id", "a b"),
    set_field("training.certified", "track", "usage "),
    set_field(LAUNCHED, "channels", []),
    set_field(LAUNCHED, "channels/0", "fax"),
    set_field(LAUNCHED, "url", "http://services.example/"),
    set_field(LAUNCHED, "url", ""),
    set_field(LAUNCHED, "url", None),
    set_field(PROJECT, "kind", "bridge"),
    set_field(PROJECT, "phases", []),
    set_field(PROJECT, "phases/0/phase", 2, at="/data/phases"),
    set_field(PROJECT, "phases/1/phase", 0),
    set_field(SIGNED, "services", []),
    set_field(SIGNED, "services", ["S", "S"]),
    set_field(SIGNED, "terms/bands", []),
    set_field(SIGNED, "terms/bands/0/up_to_halalas", 0),
    set_field(SIGNED, "terms/bands/0/partner_bp", 10_001),
    set_field(SIGNED, "terms/bands/0/up_to_halalas", None, at="/data/terms/bands"),
    set_field(SIGNED, "terms/bands/1/up_to_halalas", 500, at="/data/terms/bands"),
    set_field(SIGNED, "terms/cap", {"amount_halalas": -1, "partner_bp_after": 0}, at="/data/terms/cap/amount_halalas"),
    set_field(SIGNED, "terms/calendar", None),
    set_field(SIGNED, "terms/starts_on", "2005-03-06", at=None),
    set_field(SIGNED, "terms/expected/1/period", "2005-Q1", at=None),
    drop_field(SIGNED, "terms/cap"),
    drop_field(SIGNED, "terms"),
    personal(INITIATIVE, "initiative_id", ("subject",)),
    personal(SIGNED, "partner/partner_id"),
    personal(SIGNED, "services/0"),
    personal(SIGNED, "services/0", luhn=False),
    personal(COLLECTED, "receipt_id", luhn=False),
    personal(AIRED, "airing_id"),
    *(personal_in_text, personal_in_text, personal_name, personal_extension),
    *(foreign_source, not_authorised, several),
]  # fmt: skip


def spoiled_line(random: Random, agency: str, event_id: str, recipe: Recipe) -> tuple[bytes, list[ExpectedFault]]:
    """The line that the recipe makes, and its faults."""
    spoiler = Spoiler(random, agency, {"id": event_id})
    faults = recipe(spoiler)
    return json.dumps(spoiler.event, ensure_ascii=True).encode(), faults
