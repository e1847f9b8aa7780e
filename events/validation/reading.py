"""From a record to its event: parsed once, for every check that follows, or the fault that stops reading."""

from __future__ import annotations

from typing import Final

import msgspec

from events.faults.findings import Finding, finding
from events.wire.envelope import DEPTH_MAX, EVENT_BYTES_MAX
from events.wire.kafka_binding import HeaderReading
from events.wire.strict_json import JsonObject, Unreadable, read_json, write_json

TOO_LARGE: Final = "The event has {size} bytes; shorten it to at most 61,440."
UNMARKED: Final = "The header content-type is missing or names no CloudEvent; send application/cloudevents+json."


class Claim(msgspec.Struct, frozen=True, gc=False):
    """The event of a record as it was read, in either mode; nothing of it is validated.

    `written` is its JSON without white space, `is_canonical` whether this is its canonical form, which every event
    without fault has. `event_bytes` are the bytes of its entry. If `fault` is set, they are the record's value, and
    the event is empty, or what the record claims although no header says that it is an event.
    """

    event: JsonObject
    written: bytes | None
    is_canonical: bool
    event_bytes: bytes
    fault: Finding | None = None


def read_claim(value: bytes | None, reading: HeaderReading) -> Claim:
    """The event of a record with these headers."""
    if value is not None and reading.is_unmarked:
        return Claim(_claimed(value), None, False, value, finding("bad-header", "", UNMARKED))
    if value is None or reading.repeated is not None or len(value) + reading.attribute_bytes > EVENT_BYTES_MAX:
        return Claim({}, None, False, value or b"", _fault_of(value, reading))
    try:
        if reading.structured:
            event, written, is_canonical = read_json(value)
            return Claim(event, written, is_canonical, value)
        data, _, _ = read_json(value, depth_max=DEPTH_MAX - 1, expect_object=False)
    except Unreadable as stop:
        return Claim({}, None, False, value, stop.finding)
    event = {**reading.attributes, "data": data}
    written, is_canonical = write_json(event)
    return Claim(event, written, is_canonical, written or value)


def _claimed(value: bytes) -> JsonObject:
    """The members of an event in structured mode; none where it is not one."""
    try:
        return read_json(value)[0] if len(value) <= EVENT_BYTES_MAX else {}
    except Unreadable:
        return {}


def _fault_of(value: bytes | None, reading: HeaderReading) -> Finding:
    """Why a record cannot be read, apart from its JSON."""
    if value is None:
        return finding("tombstone", "", "The record has no value (null); send the event as its value.")
    size = len(value) + reading.attribute_bytes
    if size > EVENT_BYTES_MAX:
        return finding("too-large", "", TOO_LARGE, size=f"{size:,}")
    sentence = "The attribute {value} is in two headers; send one."
    return finding("duplicate-name", "", sentence, value=reading.repeated)
