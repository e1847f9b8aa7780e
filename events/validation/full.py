"""The full check: it defines what is refused, why, and what may be kept of it.

It reads JSON strictly and lists every error of form, else of authority.
"""

from __future__ import annotations

from typing import Any, Final

from events.faults.findings import finding
from events.validation.authority import authority_errors
from events.validation.forms import form_of
from events.validation.schema_errors import errors_in
from events.validation.verdicts import Agency, Refused, WellFormed, refused, well_formed
from events.validation.walk import walk
from events.values.personal_data import bytes_hold_personal_data, holds_personal_data
from events.wire.envelope import DEPTH_MAX, EVENT_BYTES_MAX
from events.wire.kafka_binding import HeaderReading, Headers
from events.wire.strict_json import Unreadable, read_json

_TOO_LARGE: Final = "The event has {size} bytes; shorten it to at most 61,440."


def validate_in_full(
    value: bytes | None, headers: Headers, reading: HeaderReading, agency: Agency
) -> WellFormed | Refused:
    """The verdict on a record with these headers."""
    try:
        event = event_of(value, reading)
    except Unreadable as stop:
        errors = [stop.finding]
        if bytes_hold_personal_data(value or b"") or any(map(holds_personal_data, reading.attributes.values())):
            errors.append(finding("personal-data", "", "A national id was found here; remove it."))
        return refused({}, errors, agency, may_keep=not _hold_personal_data(headers))
    form = form_of(event)
    errors = errors_in(walk(event, form.shape), form, reading.findings)
    if form.row is not None and not errors:
        errors = authority_errors(event, form.row, agency)
    if form.row is not None and not errors:
        found = well_formed(form.row.name, event, value if reading.structured else None)
        size = len(found.event_bytes)
        if size <= EVENT_BYTES_MAX:
            return found
        errors = [finding("too-large", "", _TOO_LARGE, size=f"{size:,}")]
    return refused(event, errors, agency, may_keep=not _hold_personal_data(headers))


def event_of(value: bytes | None, reading: HeaderReading) -> dict[str, Any]:
    """The event of a record in either mode, as one object, not validated. Raises `Unreadable`."""
    if value is None:
        raise Unreadable(finding("tombstone", "", "The record has no value (null); send the event as its value."))
    size = len(value) + reading.attribute_bytes
    if size > EVENT_BYTES_MAX:
        raise Unreadable(finding("too-large", "", _TOO_LARGE, size=f"{size:,}"))
    if reading.structured:
        structured: dict[str, Any] = read_json(value)
        return structured
    if reading.repeated is not None:
        sentence = "The attribute {value} stands in two headers; send one."
        raise Unreadable(finding("duplicate-name", "", sentence, value=reading.repeated))
    return {**reading.attributes, "data": read_json(value, depth_max=DEPTH_MAX - 1, expect_object=False)}


def _hold_personal_data(headers: Headers) -> bool:
    """Whether any header, even an ignored one, holds personal data."""
    names, values = zip(*headers, strict=True) if headers else ((), ())
    return holds_personal_data("\0".join(names)) or bytes_hold_personal_data(b"\0".join(filter(None, values)))
