"""The full way: the definition of what is refused, why, and what may be kept of it.

It reads JSON with care, lists every fault of form, else of authority, and knows what may be kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from events.catalogue import CATALOGUE, may_send
from events.codec import canonical_bytes
from events.envelope import DEPTH_MAX, EVENT_BYTES_MAX, SOURCE_PATTERN
from events.findings import Finding, finding
from events.kafka_mode import HeaderReading, Headers
from events.personal import looks_personal
from events.platform import CLAIMED_ID_PATTERN, CLAIMED_TYPE_LENGTH_MAX, CLAIMED_TYPE_PATTERN
from events.reading import Unreadable, read_json
from events.validation.models import short_type
from events.validation.personal_errors import personal_errors
from events.validation.schema_errors import errors_in
from events.validation.verdicts import Agency, Refused, WellFormed

FAULTS_MAX: Final = 1_000
"""Most faults kept of one record: more than a refusal can list, and a batch of bad records fits the memory."""

_SOURCE: Final = re.compile(SOURCE_PATTERN)
_ID: Final = re.compile(CLAIMED_ID_PATTERN)
_TYPE: Final = re.compile(CLAIMED_TYPE_PATTERN)
_SEQUENCE: Final = re.compile(r"(?!0{20})[0-9]{20}")
_ROLES: Final = {"agency": "An agency", "office": "The programme office", "platform": "The platform"}
_SENDERS: Final = {
    "agency": "an agency",
    "owner": "an agency",
    "office": "the programme office",
    "platform": "the platform",
}


def validate_in_full(
    value: bytes | None, headers: Headers, reading: HeaderReading, agency: Agency
) -> WellFormed | Refused:
    """The verdict on a record whose headers say `reading`."""
    event: dict[str, Any] | None = None
    try:
        event = event_of(value, reading)
    except Unreadable as stop:
        errors = [stop.finding]
    else:
        errors = _with_header_errors(errors_in(event), reading)
    personal = personal_errors(value, event, reading, headers)
    errors += personal.errors
    if event is not None and not errors:
        errors = _authority_errors(event, agency)
        event_bytes = value if value is not None and reading.structured else canonical_bytes(event)
        if not errors and len(event_bytes) <= EVENT_BYTES_MAX:
            return WellFormed(short_type(event), event, event_bytes)
        errors = errors or [_too_large(len(event_bytes))]
    return _refused(event or {}, errors, agency, may_keep=personal.may_keep)


def event_of(value: bytes | None, reading: HeaderReading) -> dict[str, Any]:
    """What a record says, in either mode, as one object; nothing is judged. Raises `Unreadable`."""
    if value is None:
        raise Unreadable(finding("tombstone", "", "The record has no value (null); send the event as its value."))
    size = len(value) + reading.attribute_bytes
    if size > EVENT_BYTES_MAX:
        raise Unreadable(_too_large(size))
    if reading.structured:
        structured: dict[str, Any] = read_json(value)
        return structured
    if reading.repeated is not None:
        sentence = "The attribute {value} stands in two headers; send one."
        raise Unreadable(finding("duplicate-name", "", sentence, value=reading.repeated))
    return {**reading.attributes, "data": read_json(value, depth_max=DEPTH_MAX - 1, object_due=False)}


def _with_header_errors(errors: list[Finding], reading: HeaderReading) -> list[Finding]:
    """Errors of form with those of the headers; an attribute whose header is bad is not also missing."""
    bad = {found.pointer for found in reading.findings}
    return [found for found in errors if not (found.code == "missing-field" and found.pointer in bad)] + [
        *reading.findings
    ]


def _authority_errors(event: dict[str, Any], agency: Agency) -> list[Finding]:
    if event["source"] != agency.source:
        sentence = "{value} is another agency; write {due}."
        return [finding("foreign-source", "/source", sentence, value=event["source"], due=agency.source)]
    name = short_type(event)
    sender = CATALOGUE[name].sender
    if not may_send(agency.role, CATALOGUE[name]):
        values = {"role": _ROLES[agency.role], "type": name, "sender": _SENDERS[sender]}
        return [finding("not-authorised", "/type", "{role} may not send {type}; only {sender} may.", **values)]
    return []


def _too_large(size: int) -> Finding:
    return finding("too-large", "", "The event has {size} bytes; shorten it to at most 61,440.", size=f"{size:,}")


def _refused(event: dict[str, Any], errors: Sequence[Finding], agency: Agency, *, may_keep: bool) -> Refused:
    """`event` is empty where none could be read."""
    found = sorted(set(errors))
    personal = next((one for one in found if one.code == "personal-data"), None)
    kept = found[:FAULTS_MAX]
    if personal is not None and personal not in kept:
        kept[-1] = personal
    return Refused(
        faults=tuple(one.fault(quoting=may_keep) for one in kept),
        unlisted=len(found) - len(kept),
        claimed_source=_claimed(event.get("source"), _SOURCE) if personal is None else None,
        claimed_id=_claimed(event.get("id"), _ID) if personal is None else None,
        claimed_type=_claimed(event.get("type"), _TYPE, CLAIMED_TYPE_LENGTH_MAX) if personal is None else None,
        keep_raw=may_keep,
        sequence=_sequence_seen(event, agency),
    )


def _claimed(value: Any, form: re.Pattern[str], length_max: int = EVENT_BYTES_MAX) -> str | None:
    """A claimed text, if it is well-formed and does not look personal. (No text of the event holds personal data.)"""
    if not isinstance(value, str) or len(value) > length_max or value.endswith("\n") or not form.match(value):
        return None
    return None if looks_personal(value) else value


def _sequence_seen(event: dict[str, Any], agency: Agency) -> int | None:
    sequence = event.get("sequence")
    if event.get("source") != agency.source or not isinstance(sequence, str):
        return None
    return int(sequence) if _SEQUENCE.fullmatch(sequence) else None
