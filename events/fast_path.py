"""The door's fast path: it proves that a structured event has no fault, or gives up and says nothing.

It never refuses: whatever it cannot prove goes the careful way, which alone defines what is well-formed. The proof:

* `orjson` reads only well-formed UTF-8 JSON without a BOM or lone surrogates; fractions and integers beyond 64 bits
  come out as floats, which no model takes. The models also bound every integer, and their patterns exclude NUL.
* A closed model is shallower than the depth limit and knows every name, so names hold no personal data.
* No name occurred twice where the event, written anew, gives the same bytes. Else: each member of an object has a
  quote, white space and a colon; if the bytes show no more of these than there are members after reading.
* The bytes show every string as it is where they hold no escape, else written anew they do; a quick search over them
  finds any run of ten digits.

What is written as an event that was proven so before needs only that search: `events/layouts.py` recognises it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import orjson
from pydantic import ValidationError

from events.catalogue import CATALOGUE, may_send
from events.codec import canonical_event_bytes
from events.envelope import EVENT_BYTES_MAX, full_type
from events.fields import Role
from events.kafka_mode import Headers, read_headers
from events.layouts import Layout, Layouts, recognise
from events.personal import is_suspect, is_suspect_ascii, shows_ten_digits, tree_may_hold_personal_data
from events.rules import Rule
from events.validators import checker_of
from events.verdicts import Accepted, Admitted, Agency, identity_bytes, identity_of, said_of

_WHITE_SPACE: Final = b" \t\n\r"
_MEMBER: Final = b'":'
_LAYOUTS: Final = Layouts()
_ROLES: Final[tuple[Role, ...]] = ("office", "agency", "platform")


class _Check(NamedTuple):
    name: str
    validate: Callable[[Any], Any]
    subject_of: Callable[[Mapping[str, Any]], str]
    rules: tuple[Rule, ...]
    roles: frozenset[Role]


@cache
def _checks() -> Mapping[str, _Check]:
    return {
        full_type(name): _Check(
            name,
            checker_of(name).validate_python,
            row.subject.of,
            row.rules,
            frozenset(role for role in _ROLES if may_send(role, row)),
        )
        for name, row in CATALOGUE.items()
    }


def admit_quickly(value: bytes, agency: Agency) -> Admitted | None:
    """The admission of a structured event of this agency, or None: look with care."""
    alike = _recognise(value, agency)
    if alike is not None:
        layout, found = alike
        return Admitted(layout.type, found["id"], value)
    proven = _prove(value, agency)
    return None if proven is None else Admitted(proven[0].name, proven[1]["id"], value)


def admit_array_quickly(body: bytes, agency: Agency, events_max: int) -> tuple[list[str], list[bytes]] | None:
    """Ids and bytes of the events of a JSON array in ASCII, if all are written as one that was proven.

    None: look at each.
    """
    if not body.isascii():
        return None
    layout = next((known for known in _LAYOUTS.of(agency) if known.ascii_pattern.match(body, 1)), None)
    if layout is None:
        return None
    values, ids = layout.all_in(body)
    if not _is_array_of(body, values, b",") and not _is_array_of(body, values, b", "):
        return None
    is_large = len(body) > EVENT_BYTES_MAX and max(map(len, values)) > EVENT_BYTES_MAX
    if is_large or len(values) > events_max or is_suspect_ascii(body):
        return None
    return list(map(bytes.decode, ids)), values


def _is_array_of(body: bytes, values: list[bytes], between: bytes) -> bool:
    inner = between.join(values)
    return len(body) == len(inner) + 2 and body[:1] == b"[" and body[-1:] == b"]" and body.startswith(inner, 1)


def accept_quickly(value: bytes, agency: Agency) -> Accepted | None:
    """The same as `admit_quickly` with the event's identity."""
    alike = _recognise(value, agency)
    if alike is not None:
        layout, found = alike
        return Accepted(agency, layout.type, layout.said(found), value, identity_of(layout.identity_bytes(found)))
    proven = _prove(value, agency)
    if proven is None:
        return None
    check, event = proven
    return Accepted(agency, check.name, said_of(event), value, identity_of(identity_bytes(event)))


def accept_binary_quickly(value: bytes, headers: Headers, agency: Agency) -> Accepted | None:
    """The same for binary mode: the event is put together, judged, and written by the canonical codec."""
    reading = read_headers(headers)
    if reading.structured or reading.faults or reading.repeated:
        return None
    try:
        orjson.loads(value)  # on its own, so that no value can close the object and add to it
    except ValueError:
        return None
    attributes = orjson.dumps(reading.attributes)
    accepted = accept_quickly(attributes[:-1] + b',"data":' + value + b"}", agency)
    if accepted is not None:
        accepted.event_bytes = canonical_event_bytes(accepted.event)
    return accepted


def _recognise(value: bytes, agency: Agency) -> tuple[Layout, re.Match[str]] | None:
    """The layout of the event and the match, where nothing can be wrong with it."""
    layouts = _LAYOUTS.of(agency)
    if not layouts or len(value) > EVENT_BYTES_MAX:
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    alike = recognise(layouts, text)
    if alike is None:
        return None
    layout, found = alike
    sequence = found["sequence"] if layout.has_sequence else None
    if found.end() != len(text) or (is_suspect(value, sequence) and shows_ten_digits(text)):
        return None
    return alike


def _prove(value: bytes, agency: Agency) -> tuple[_Check, dict[str, Any]] | None:
    """The event and its type, where nothing can be wrong with it."""
    if len(value) > EVENT_BYTES_MAX:
        return None
    try:
        event = orjson.loads(value)
        check = _checks()[event["type"]]
        check.validate(event)
    except (ValidationError, ValueError, KeyError, TypeError):
        return None
    if event["source"] != agency.source or agency.role not in check.roles:
        return None
    data = event["data"]
    if event["subject"] != check.subject_of(data) or not _rules_hold(check.rules, data):
        return None
    if not _names_are_unique(value, event):
        return None
    shown = orjson.dumps(event) if b"\\" in value else value  # every text and name without escapes
    if is_suspect(shown, event.get("sequence")) and tree_may_hold_personal_data(event):
        return None
    _LAYOUTS.proven(agency, value, event, check.name)
    return check, event


def _rules_hold(rules: tuple[Rule, ...], data: dict[str, Any]) -> bool:
    return not rules or all(rule.holds(data) for rule in rules)


def _names_are_unique(value: bytes, event: dict[str, Any]) -> bool:
    """Whether no name occurs twice in an object; False also where that is not sure."""
    after_name = value.find(_MEMBER) + len(_MEMBER)
    if value[after_name] not in _WHITE_SPACE and orjson.dumps(event) == value:
        return True
    return _shown_members(value) == len(event) + _members_within(event["data"])


def _shown_members(value: bytes) -> int:
    """How many members the bytes show: at least as many as were written, more if a text holds the same marks."""
    return value.translate(None, _WHITE_SPACE).count(_MEMBER)


def _members_within(data: dict[str, Any]) -> int:
    count = len(data)
    for item in data.values():
        kind = type(item)
        if kind is dict:
            count += _members_within(item)
        elif kind is list:
            for part in item:
                if type(part) is dict:
                    count += _members_within(part)
    return count
