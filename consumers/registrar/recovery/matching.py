"""Matches records with entries, independently of the current catalogue's verdict.

Pure. An accepted entry has the event's bytes; a refusal has the hash of the record's value, unless the value had
personal data or was missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import orjson

from consumers.registrar.batch import Record
from events.validation.reading import read_claim
from events.validation.refusal import REFUSED
from events.validation.verdicts import Accepted, Agency, Refused, identity_of, key_of
from events.wire.codec import NotCanonical, canonical_bytes, canonical_event_bytes
from events.wire.entry import Entry, entry_bytes
from events.wire.kafka_binding import read_headers

Verdict = Accepted | Refused
_TOMBSTONE: Final = "tombstone"
_TEXTS: Final = ("id", "subject", "type")


def is_refusal(entry: Entry) -> bool:
    """Whether the entry is the registrar's refusal of a record."""
    return entry.type == REFUSED and bool(entry.data["address"] == entry.address)


def event_of_entry(entry: Entry, raw: bytes, agency: Agency) -> Accepted:
    """The event of an accepted entry, as validation returned it."""
    before = entry_bytes(entry.recorded, entry.address, b"")[:-1]
    return _accepted(raw[len(before) : -1], agency)


def event_of_record(record: Record, verdict: Verdict, agency: Agency) -> Accepted | None:
    """The event of a record, even if validation refuses it now; None if it is not an event of the agency."""
    if isinstance(verdict, Accepted):
        return verdict
    reading = read_headers(record.headers)
    if record.value is None or reading.findings:
        return None
    event = read_claim(record.value, reading).event
    try:
        if event.get("source") != agency.source or not all(isinstance(event[name], str) for name in _TEXTS):
            return None
        return _accepted(record.value if reading.structured else canonical_bytes(event), agency)
    except (NotCanonical, LookupError, TypeError, ValueError):
        return None


def is_refused_record(record: Record, verdict: Verdict, data: Mapping[str, Any]) -> bool:
    """Whether a refusal with these data is of this record. A refusal for personal data has no hash to compare."""
    errors: Iterable[Mapping[str, str]] = data["problem"]["errors"]
    if "sha256" in data:
        return record.value is not None and sha256(record.value).hexdigest() == data["sha256"]
    if any(error["code"] == _TOMBSTONE for error in errors):
        return record.value is None
    return record.value is not None and isinstance(verdict, Refused) and not verdict.keep_raw


def _accepted(event_bytes: bytes, agency: Agency) -> Accepted:
    event = orjson.loads(event_bytes)
    return Accepted(agency, event["type"], key_of(event), event_bytes, identity_of(event, canonical_event_bytes(event)))
