"""The quick check: it proves that an event has no fault, or leaves the decision to the full check.

It never refuses, so that the full check alone defines what is well-formed. The proof:

* `orjson` reads only well-formed UTF-8 JSON without a BOM or lone surrogates; fractions and integers beyond 64 bits
  become floats, which no model accepts. The models also bound every integer, and their patterns exclude NUL.
* A closed model is shallower than the depth limit and knows every name, so names hold no personal data.
* No JSON text of an event is shorter than its canonical form. So no name occurs twice where the lengths are equal.
  Else each member has a quote, white space and a colon, and the bytes must show no more of these than were read.
* Bytes without escapes show every string as it is, and the canonical form escapes neither letters nor digits; a search
over one of them finds every national id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import orjson
from pydantic import ValidationError
from pydantic_core import SchemaValidator

from events.types.catalogue import CATALOGUE, may_send
from events.types.rules import Rule
from events.validation.closed_schema import closed_schema
from events.validation.quick_search import may_be_personal
from events.validation.verdicts import Agency, WellFormed
from events.values.fields import Role
from events.wire.codec import canonical_event_bytes
from events.wire.envelope import EVENT_BYTES_MAX, full_type
from events.wire.kafka_binding import HeaderReading

_WHITE_SPACE: Final = b" \t\n\r"
_MEMBER: Final = b'":'
_MEMBER_IN_TEXT: Final = b'\\":'
_ROLES: Final[tuple[Role, ...]] = ("office", "agency", "platform")


class _Check(NamedTuple):
    name: str
    validate: Callable[[Any], Any]
    subject_of: Callable[[Mapping[str, Any]], str]
    rules: tuple[Rule, ...]
    roles: frozenset[Role]


@cache
def _checks() -> Mapping[str, _Check]:
    """Full type → its check. Raises if pydantic's schema has an unknown part."""
    return {
        full_type(name): _Check(
            name,
            SchemaValidator(closed_schema(name)).validate_python,
            row.subject.of,
            row.rules,
            frozenset(role for role in _ROLES if may_send(role, row)),
        )
        for name, row in CATALOGUE.items()
    }


def validate_quickly(value: bytes, reading: HeaderReading, agency: Agency) -> WellFormed | None:
    """The event of a record whose headers have no fault; None unless it is proven to have no fault."""
    if len(value) + reading.attribute_bytes > EVENT_BYTES_MAX or reading.repeated is not None:
        return None
    try:
        parsed = orjson.loads(value)
        event = parsed if reading.structured else {**reading.attributes, "data": parsed}
        check = _checks()[event["type"]]
        check.validate(event)
    except (ValidationError, ValueError, KeyError, TypeError):
        return None
    data = event["data"]
    if (
        event["source"] != agency.source
        or agency.role not in check.roles
        or event["subject"] != check.subject_of(data)
        or (check.rules and not all(rule.holds(data) for rule in check.rules))
    ):
        return None
    canonical = canonical_event_bytes(event)
    written = canonical if reading.structured else orjson.dumps(parsed)
    if len(written) != len(value) and _shown_members(value) != _members(written):
        return None
    event_bytes = value if reading.structured else canonical
    shown = canonical if b"\\" in event_bytes else event_bytes
    if len(event_bytes) > EVENT_BYTES_MAX or may_be_personal(shown, event.get("sequence")):
        return None
    return WellFormed(check.name, event, canonical, event_bytes)


def _shown_members(value: bytes) -> int:
    """How many members the bytes show: at least those written, more if a text holds the same marks."""
    return value.translate(None, _WHITE_SPACE).count(_MEMBER)


def _members(canonical: bytes) -> int:
    """How many members canonical JSON has: its texts escape quotes, and no name of the catalogue has one."""
    return canonical.count(_MEMBER) - canonical.count(_MEMBER_IN_TEXT)
