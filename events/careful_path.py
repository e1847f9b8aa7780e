"""The door's careful path: the definition of what is refused, why, and what may be kept of it."""

from __future__ import annotations

import re
from typing import Any, Final

from events.catalogue import may_send
from events.codec import canonical_bytes
from events.envelope import DEPTH_MAX, EVENT_BYTES_MAX, SOURCE_PATTERN
from events.form import faults_of, type_of
from events.kafka_mode import HeaderReading, Headers, read_headers
from events.personal import bytes_hold_personal_data, holds_personal_data, looks_personal
from events.platform import CLAIMED_ID_PATTERN, CLAIMED_TYPE_LENGTH_MAX, CLAIMED_TYPE_PATTERN
from events.problems import Fault, fault
from events.reading import Unreadable, read_json
from events.verdicts import Accepted, Agency, Refused, identity_bytes, identity_of, said_of

FAULTS_MAX: Final = 1_000
"""Most faults kept of one record: more than a refusal can list, and a batch of bad records fits the memory."""

_SOURCE: Final = re.compile(SOURCE_PATTERN)
_ID: Final = re.compile(CLAIMED_ID_PATTERN)
_TYPE: Final = re.compile(CLAIMED_TYPE_PATTERN)
_SEQUENCE: Final = re.compile(r"(?!0{20})[0-9]{20}")
_TOO_LARGE: Final = fault("too-large", "", "The event has more than 61,440 bytes.")
_PERSONAL: Final = fault("personal-data", "", "A national id was found here.")


def judge_carefully(value: bytes | None, headers: Headers, agency: Agency) -> Accepted | Refused:
    """The verdict on a record, with all faults of form, else of authority."""
    reading = read_headers(headers)
    if value is None:
        return _unreadable(b"", headers, reading, fault("tombstone", "", "The record has a null value."))
    if len(value) + (0 if reading.structured else reading.attribute_bytes) > EVENT_BYTES_MAX:
        return _unreadable(value, headers, reading, _TOO_LARGE)
    try:
        event = event_of(value, reading)
    except Unreadable as stop:
        return _unreadable(value, headers, reading, stop.fault)
    faults = _form_faults(event, reading)
    if not faults:
        faults = _authority_faults(event, agency)
    if faults:
        return _refused(event, headers, agency, faults)
    return _accepted(value, event, headers, reading, agency)


def event_of(value: bytes, reading: HeaderReading) -> dict[str, Any]:
    """What a record says, in either mode, as one object; nothing is judged. Raises `Unreadable`."""
    if reading.structured:
        structured: dict[str, Any] = read_json(value)
        return structured
    if reading.repeated:
        raise Unreadable(fault("duplicate-name", "", "An attribute occurs in two headers."))
    return {**reading.attributes, "data": read_json(value, depth_max=DEPTH_MAX - 1, object_due=False)}


def _form_faults(event: dict[str, Any], reading: HeaderReading) -> list[Fault]:
    """Faults of form with those of the headers; an attribute whose header is bad is not also missing."""
    bad = {found.pointer for found in reading.faults}
    found = [seen for seen in faults_of(event) if not (seen.code == "missing-field" and seen.pointer in bad)]
    return sorted({*found, *reading.faults})


def _authority_faults(event: dict[str, Any], agency: Agency) -> list[Fault]:
    if event["source"] != agency.source:
        return [fault("foreign-source", "/source", "The source is not the agency of this topic.")]
    row = type_of(event)
    if row is None or not may_send(agency.role, row):
        return [fault("not-authorised", "/type", "The agency's role may not send this type.")]
    return []


def _accepted(
    value: bytes, event: dict[str, Any], headers: Headers, reading: HeaderReading, agency: Agency
) -> Accepted | Refused:
    row = type_of(event)
    if row is None:
        raise AssertionError("an event without faults has a known type")
    event_bytes = value if reading.structured else canonical_bytes(event)
    if len(event_bytes) > EVENT_BYTES_MAX:
        return _refused(event, headers, agency, [_TOO_LARGE])
    return Accepted(agency, row.name, said_of(event), event_bytes, identity_of(identity_bytes(event)))


def _unreadable(value: bytes, headers: Headers, reading: HeaderReading, stop: Fault) -> Refused:
    """What stops reading is listed alone, but for personal data anywhere in the bytes of the event."""
    personal = bytes_hold_personal_data(value)
    if not reading.structured:
        personal = personal or any(map(holds_personal_data, reading.attributes.values()))
    faults = [_PERSONAL, stop] if personal else [stop]
    return Refused(faults=tuple(sorted(faults)), keep_raw=not personal and not _headers_hold_personal_data(headers))


def _refused(event: dict[str, Any], headers: Headers, agency: Agency, faults: list[Fault]) -> Refused:
    personal = any(found.code == "personal-data" for found in faults)
    claimed: list[str | None] = (
        [None, None, None]
        if personal
        else [
            _claimed(event.get("source"), _SOURCE),
            _claimed(event.get("id"), _ID),
            _claimed(event.get("type"), _TYPE, CLAIMED_TYPE_LENGTH_MAX),
        ]
    )
    kept = faults[:FAULTS_MAX]
    if personal and not any(found.code == "personal-data" for found in kept):
        kept[-1] = next(found for found in faults if found.code == "personal-data")
    return Refused(
        faults=tuple(kept),
        unlisted=len(faults) - len(kept),
        claimed_source=claimed[0],
        claimed_id=claimed[1],
        claimed_type=claimed[2],
        keep_raw=not personal and not _headers_hold_personal_data(headers),
        sequence=_sequence_seen(event, agency),
    )


def _claimed(value: Any, form: re.Pattern[str], length_max: int = EVENT_BYTES_MAX) -> str | None:
    """A claimed text, if it is well-formed and neither personal nor looks so."""
    if not isinstance(value, str) or len(value) > length_max or value.endswith("\n") or not form.match(value):
        return None
    return None if looks_personal(value) or holds_personal_data(value) else value


def _sequence_seen(event: dict[str, Any], agency: Agency) -> int | None:
    sequence = event.get("sequence")
    if event.get("source") != agency.source or not isinstance(sequence, str):
        return None
    return int(sequence) if _SEQUENCE.fullmatch(sequence) else None


def _headers_hold_personal_data(headers: Headers) -> bool:
    """Whether any header, even an ignored one, may not be kept."""
    return any(
        holds_personal_data(name) or (value is not None and bytes_hold_personal_data(value)) for name, value in headers
    )
