"""The quick way: it proves that an event has no fault, or says nothing, and the full way is asked.

It never refuses, so that the full way alone defines what is well-formed. The proof:

* `orjson` reads only well-formed UTF-8 JSON without a BOM or lone surrogates; fractions and integers beyond 64 bits
  come out as floats, which no model takes. The models also bound every integer, and their patterns exclude NUL.
* A closed model is shallower than the depth limit and knows every name, so names hold no personal data.
* No JSON text of the event is shorter than its canonical form. So no name occurred twice where the bytes are as many.
  Else: each member has a quote, white space and a colon; if the bytes show no more of these than were read.
* The bytes show every string as it is where they hold no escape, and the canonical form escapes neither letters nor
  digits; a search over one of them finds any national id.
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
    """Full type → what is checked of its events. Raises if pydantic's schema has a part that is not known here."""
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
    """The event of a record whose headers have no fault, where nothing can be wrong with it."""
    if len(value) + reading.attribute_bytes > EVENT_BYTES_MAX or reading.repeated is not None:
        return None
    try:
        said = orjson.loads(value)
        event = said if reading.structured else {**reading.attributes, "data": said}
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
    written = canonical if reading.structured else orjson.dumps(said)
    if len(written) != len(value) and _shown_members(value) != _members(written):
        return None
    event_bytes = value if reading.structured else canonical
    shown = canonical if b"\\" in event_bytes else event_bytes
    if len(event_bytes) > EVENT_BYTES_MAX or may_be_personal(shown, event.get("sequence")):
        return None
    return WellFormed(check.name, event, canonical, event_bytes)


def _shown_members(value: bytes) -> int:
    """How many members the bytes show: at least as many as were written, more if a text holds the same marks."""
    return value.translate(None, _WHITE_SPACE).count(_MEMBER)


def _members(canonical: bytes) -> int:
    """How many members canonical JSON has: quotes in its texts are escaped, and no name of ours has one."""
    return canonical.count(_MEMBER) - canonical.count(_MEMBER_IN_TEXT)
