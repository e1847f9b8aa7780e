"""The quick check: it proves that an event has no fault, or leaves the decision to the full check.

It never refuses, so that the full check alone defines what is well-formed. The proof:

* `orjson` reads only well-formed UTF-8 JSON without a BOM or lone surrogates; fractions and integers beyond 64 bits
  become floats, which no model accepts. The models also bound every integer, and their patterns exclude NUL.
* A closed model is shallower than the depth limit and knows every name, so names hold no personal data.
* The bytes show no more members than were read, so no name occurs twice (`shows_each_name_once`).
* Bytes without escapes show every string as it is, and the canonical form escapes neither letters nor digits; a search
  over one of them finds every national id. Where it finds ten digits, which may be those of a number, the texts
  themselves are searched.
"""

from __future__ import annotations

import orjson
from pydantic import ValidationError

from events.validation.forms import forms_by_type
from events.validation.quick_search import any_is_personal, is_suspect
from events.validation.verdicts import Agency, WellFormed
from events.wire.codec import canonical_event_bytes
from events.wire.envelope import EVENT_BYTES_MAX
from events.wire.kafka_binding import HeaderReading
from events.wire.strict_json import shows_each_name_once


def validate_quickly(value: bytes, reading: HeaderReading, agency: Agency) -> WellFormed | None:
    """The event of a record whose headers have no fault; None unless it is proven to have no fault."""
    if len(value) + reading.attribute_bytes > EVENT_BYTES_MAX or reading.repeated is not None:
        return None
    try:
        parsed = orjson.loads(value)
        event = parsed if reading.structured else {**reading.attributes, "data": parsed}
        row, check, _, rules, subject_of, roles = forms_by_type()[event["type"]]
        check(event)
    except (ValidationError, ValueError, KeyError, TypeError):
        return None
    data = event["data"]
    if (
        event["source"] != agency.source
        or agency.role not in roles
        or event["subject"] != subject_of(data)
        or (rules and not all(rule.holds(data) for rule in rules))
    ):
        return None
    canonical = canonical_event_bytes(event)
    written = canonical if reading.structured else orjson.dumps(parsed)
    event_bytes = value if reading.structured else canonical
    if len(event_bytes) > EVENT_BYTES_MAX or not shows_each_name_once(value, written):
        return None
    shown = canonical if b"\\" in event_bytes else event_bytes
    if is_suspect(shown, event.get("sequence")) and any_is_personal(event):
        return None
    assert row is not None
    return WellFormed(row.name, event, canonical, event_bytes)
