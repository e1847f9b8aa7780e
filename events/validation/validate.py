"""Entry point: the event of a record in an agency's topic, or why it is refused.

Pure: the same bytes, headers and agency always give the same verdict. Form is checked, then authority. The registrar
decides whether an id is new: it compares `claim` and `identity` in log order.
"""

from __future__ import annotations

from events.validation.full import validate_in_full
from events.validation.quick import validate_quickly
from events.validation.verdicts import Accepted, Admitted, Agency, Refused, WellFormed, identity_of, key_of
from events.wire.kafka_binding import Headers, read_headers


def validate(value: bytes | None, headers: Headers, agency: Agency) -> Accepted | Refused:
    """The verdict on a record of the topic of `agency`."""
    found = _well_formed(value, headers, agency)
    if isinstance(found, Refused):
        return found
    name, event, canonical, event_bytes = found
    return Accepted(agency, name, key_of(event), event_bytes, identity_of(event, canonical))


def validate_form(value: bytes | None, headers: Headers, agency: Agency) -> Admitted | Refused:
    """The same verdict without the event's identity, at less cost."""
    found = _well_formed(value, headers, agency)
    if isinstance(found, Refused):
        return found
    return Admitted(found.type, found.event["id"], found.event_bytes)


def _well_formed(value: bytes | None, headers: Headers, agency: Agency) -> WellFormed | Refused:
    reading = read_headers(headers)
    if value is not None and not reading.findings:
        found = validate_quickly(value, reading, agency)
        if found is not None:
            return found
    return validate_in_full(value, headers, reading, agency)
