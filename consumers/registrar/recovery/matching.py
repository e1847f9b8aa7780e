"""Whether a record is the one that an entry is of, whatever the catalogue of today would say of it.

Pure. An accepted entry holds the event's bytes; a refusal holds the hash of the record's value, unless that held
personal data or there was none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import orjson

from consumers.registrar.batch import Record
from events.validation.full import event_of
from events.validation.refusal import REFUSED
from events.validation.verdicts import Accepted, Agency, Refused, identity_of, key_of
from events.wire.codec import NotCanonical, canonical_bytes, canonical_event_bytes
from events.wire.entry import Entry, entry_bytes
from events.wire.kafka_binding import read_headers
from events.wire.strict_json import Unreadable

Verdict = Accepted | Refused
_TOMBSTONE: Final = "tombstone"
_TEXTS: Final = ("id", "subject", "type")


def is_refusal(entry: Entry) -> bool:
    """Whether the registrar wrote the entry of a record that it refused."""
    return entry.type == REFUSED and bool(entry.data["address"] == entry.address)


def event_of_entry(entry: Entry, raw: bytes, agency: Agency) -> Accepted:
    """The event of an accepted entry, as the door gave it."""
    before = entry_bytes(entry.recorded, entry.address, b"")[:-1]
    return _accepted(raw[len(before) : -1], agency)


def event_of_record(record: Record, verdict: Verdict, agency: Agency) -> Accepted | None:
    """What a record says, also where today's door refuses it; None where it is no event of the agency."""
    if isinstance(verdict, Accepted):
        return verdict
    reading = read_headers(record.headers)
    if record.value is None or reading.findings:
        return None
    try:
        event = event_of(record.value, reading)
        if event.get("source") != agency.source or not all(isinstance(event[name], str) for name in _TEXTS):
            return None
        return _accepted(record.value if reading.structured else canonical_bytes(event), agency)
    except (Unreadable, NotCanonical, LookupError, TypeError, ValueError):
        return None


def is_refused_record(record: Record, verdict: Verdict, data: Mapping[str, Any]) -> bool:
    """Whether a refusal with these data is of this record. Of personal data nothing was kept to tell it by."""
    errors: Iterable[Mapping[str, str]] = data["problem"]["errors"]
    if "sha256" in data:
        return record.value is not None and sha256(record.value).hexdigest() == data["sha256"]
    if any(error["code"] == _TOMBSTONE for error in errors):
        return record.value is None
    return record.value is not None and isinstance(verdict, Refused) and not verdict.keep_raw


def _accepted(event_bytes: bytes, agency: Agency) -> Accepted:
    event = orjson.loads(event_bytes)
    return Accepted(agency, event["type"], key_of(event), event_bytes, identity_of(event, canonical_event_bytes(event)))
