"""Lines that the registrar refuses, each with its faults by construction.

A recipe spoils a good event and says which faults that makes. A pointer of None is one that the contract leaves open. A
line that cannot be read at all has one fault for the whole, beside personal data in its bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from tests.oracle.log import JsonObject, make_event
from tests.oracle.words import personal_number, text

LARGE = 61_441
TOO_LARGE_TO_SEND = 130_001
ExpectedFault: TypeAlias = tuple[str, str | None]
Recipe: TypeAlias = Callable[["Spoiler"], list[ExpectedFault]]
TERMS: JsonObject = {
    "starts_on": "2005-01-10", "ends_on": "2005-03-05", "calendar": "gregorian", "period": "month",
    "tier_basis": "lifetime",
    "bands": [{"up_to_halalas": 1000, "partner_bp": 7000}, {"up_to_halalas": None, "partner_bp": 5000}],
    "cap": None, "guarantee": None,
    "expected": [{"period": f"2005-0{month}", "amount_halalas": 1} for month in (1, 2, 3)],
}  # fmt: skip
INITIATIVE, SIGNED, COLLECTED = "awareness.initiative-announced", "partnership.signed", "revenue.collected"
SAMPLES: dict[str, tuple[str, JsonObject]] = {
    INITIATIVE: ("initiative/BAD", {"initiative_id": "BAD", "on": "2005-05-05"}),
    COLLECTED: (
        "partnership/P-BAD",
        {
            "partnership_id": "P-BAD", "receipt_id": "R-BAD", "service_id": "S", "amount_halalas": 100,
            "collected_on": "2005-05-05", "receipts": 1,
        },
    ),
    SIGNED: (
        "partnership/P-BAD",
        {"partnership_id": "P-BAD", "services": ["S"], "signed_on": "2005-05-05", "terms": TERMS},
    ),
}  # fmt: skip
TEXTS = {INITIATIVE: ("name", "aim"), SIGNED: ("legal_basis",)}


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
        if name == SIGNED:
            data["partner"] = {"partner_id": "CO", "name": text(self.random)}
        self.event = make_event(name, self.agency, subject, data, self.event["id"])


def set_attribute(name: str, value: object, *codes: str) -> Recipe:
    """An envelope attribute with a wrong value."""

    def spoil(spoiler: Spoiler) -> list[ExpectedFault]:
        spoiler.start(INITIATIVE)
        spoiler.event[name] = value
        return [(code, f"/{name}") for code in codes or ("invalid-value",)]

    return spoil


def drop_attribute(name: str) -> Recipe:
    """A required attribute that is not there, or is null."""

    def spoil(spoiler: Spoiler) -> list[ExpectedFault]:
        spoiler.start(INITIATIVE)
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
    spoiler.start(INITIATIVE)
    number = personal_number(spoiler.random)
    folded = spoiler.random.choice((number, _in_digits(number, 0x660), _in_digits(number, 0x6F0)))
    spoiler.data["aim"]["ar"] = f"رقم {folded}، شكرا"
    return [("personal-data", "/data/aim/ar")]


def _in_digits(number: str, zero: int) -> str:
    return "".join(chr(zero + int(digit)) for digit in number)


def personal_name(spoiler: Spoiler) -> list[ExpectedFault]:
    """A national id as a name: its pointer is the parent's."""
    spoiler.start(INITIATIVE)
    spoiler.data[personal_number(spoiler.random)] = 1
    return [("personal-data", "/data"), ("unknown-field", "/data")]


def personal_extension(spoiler: Spoiler) -> list[ExpectedFault]:
    """A national id in an extension attribute."""
    spoiler.start(INITIATIVE)
    spoiler.event["correlationid"] = personal_number(spoiler.random)
    return [("personal-data", "/correlationid")]


def foreign_source(spoiler: Spoiler) -> list[ExpectedFault]:
    """Another agency's source."""
    spoiler.start(INITIATIVE)
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
    spoiler.start(COLLECTED)
    spoiler.data["amount_halalas"], spoiler.data["remark"] = 0, "x"
    del spoiler.data["receipts"]
    return [
        ("invalid-value", "/data/amount_halalas"),
        ("missing-field", "/data/receipts"),
        ("unknown-field", "/data/remark"),
    ]


RECIPES: list[Recipe] = [
    *(drop_attribute(name) for name in ("specversion", "id", "source", "type", "subject", "time", "data")),
    set_attribute("specversion", "0.3"),
    set_attribute("id", "a b"),
    set_attribute("source", "urn:yesser:agency:Health"),
    set_attribute("type", "sa.gov.yesser.service.exploded.v1", "unknown-type"),
    set_attribute("subject", "initiative/BAD-2", "subject-mismatch"),
    set_attribute("time", "2005-02-30T05:05:05Z"),
    set_attribute("time", "2078-01-01T00:00:00+03:00", "date-out-of-range"),
    set_attribute("dataschema", "urn:yesser:schema:sa.gov.yesser.service.launched.v1"),
    set_attribute("data", [1]),
    set_attribute("data_base64", "e30=", "unknown-field"),
    set_attribute("sequence", "0" * 20),
    set_attribute("correlationid", "x" * 257),
    set_attribute("hijridate", "1425/4/5"),
    set_field(INITIATIVE, "name", None),
    set_field(INITIATIVE, "name/ar", " \n"),
    set_field(INITIATIVE, "name/en", "nul \u0000"),
    set_field(INITIATIVE, "name/en", "half \ud83c"),
    set_field(INITIATIVE, "name/fr", "x", "unknown-field"),
    set_field(INITIATIVE, "on", "2005-02-30"),
    set_field(INITIATIVE, "on", "2077-11-17", "date-out-of-range"),
    drop_field(INITIATIVE, "name/ar"),
    set_field(COLLECTED, "amount_halalas", 0),
    set_field(COLLECTED, "amount_halalas", 100.0),
    set_field(COLLECTED, "amount_halalas", 2**53, "number-out-of-range"),
    set_field(COLLECTED, "amount_halalas", -(10**40), "number-out-of-range"),
    set_field(COLLECTED, "receipts", True),
    set_field(COLLECTED, "service_id", "-a"),
    set_field(SIGNED, "services", ["S", "S"]),
    set_field(SIGNED, "terms/bands/0/partner_bp", 10_001),
    set_field(SIGNED, "terms/bands/1/up_to_halalas", 500, at="/data/terms/bands"),
    set_field(SIGNED, "terms/cap", {"amount_halalas": -1, "partner_bp_after": 0}, at="/data/terms/cap/amount_halalas"),
    set_field(SIGNED, "terms/starts_on", "2005-03-06", at=None),
    set_field(SIGNED, "terms/expected/1/period", "2005-Q1", at=None),
    drop_field(SIGNED, "terms/cap"),
    personal(INITIATIVE, "initiative_id", ("subject",)),
    personal(SIGNED, "services/0"),
    personal(COLLECTED, "receipt_id", luhn=False),
    *(personal_in_text, personal_in_text, personal_name, personal_extension),
    *(foreign_source, not_authorised, several),
]
"""One or two of each kind of fault; the value of every field is the business of validation's own tables."""


def spoiled_line(random: Random, agency: str, event_id: str, recipe: Recipe) -> tuple[bytes, list[ExpectedFault]]:
    """The line that the recipe makes, and its faults."""
    spoiler = Spoiler(random, agency, {"id": event_id})
    faults = recipe(spoiler)
    return json.dumps(spoiler.event, ensure_ascii=True).encode(), faults


def good_line(random: Random, agency: str, event_id: str) -> bytes:
    """A good event, now and then with a national id in its text."""
    spoiler = Spoiler(random, agency, {"id": event_id})
    spoiler.start(INITIATIVE)
    if random.random() < 0.3:
        spoiler.data["aim"]["en"] = personal_number(random)
    return json.dumps(spoiler.event, ensure_ascii=False).encode()


def within_data(text: bytes) -> Callable[[bytes], bytes]:
    """Spoils a line by a first member of its data."""
    return lambda line: line.replace(b'"data": {', b'"data": {' + text + b", ")


LIGHT: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("not-json", lambda line: line[:-1]),
    ("not-json", lambda line: b"[" + line + b"]"),
    ("not-json", lambda line: b"\xef\xbb\xbf" + line),
    ("not-json", lambda line: b'{"nan": NaN, ' + line[1:]),
    ("not-json", lambda line: b'{"nul": "\x00", ' + line[1:]),
    ("not-utf8", lambda line: b'{"bad": "\xff", ' + line[1:]),
    ("duplicate-name", within_data(b'"\\u006fn": "2005-05-05"')),
    ("too-deep", within_data(b'"deep": ' + b"[" * 15 + b"]" * 15)),
]
HEAVY: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("too-deep", within_data(b'"deep": ' + b"[" * 5_000 + b"]" * 5_000)),
    ("too-large", lambda line: b"{" + b" " * (LARGE - len(line)) + line[1:]),
]


def unreadable_line(random: Random, agency: str, event_id: str) -> tuple[bytes, list[ExpectedFault]]:
    """A line and its faults; the heavy kinds are rare, so that a long history stays small."""
    code, spoil = random.choice(HEAVY if random.random() < 0.03 else LIGHT)
    line = good_line(random, agency, event_id)
    aim = json.loads(line)["data"]["aim"]["en"]
    is_personal = len(aim) == 10 and aim.isdigit()
    return spoil(line), [(code, ""), *([("personal-data", "")] if is_personal else [])]


def unsendable_line(agency: str, event_id: str) -> tuple[bytes, list[ExpectedFault]]:
    """A line that the topic cannot hold: the command refuses it without sending."""
    line = json.dumps({"id": event_id, "source": f"urn:yesser:agency:{agency}"}).encode()
    return b"{" + b" " * (TOO_LARGE_TO_SEND - len(line)) + line[1:], [("too-large", "")]
