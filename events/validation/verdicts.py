"""The verdict on a record: accepted, or refused with every fault."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import orjson

from events.faults.findings import Finding
from events.faults.problems import Fault
from events.types.platform import CLAIMED_ID_PATTERN, CLAIMED_TYPE_LENGTH_MAX, CLAIMED_TYPE_PATTERN
from events.values.bounds import FAULTS_MAX
from events.values.fields import Role
from events.values.personal_data import looks_personal
from events.wire.codec import canonical_event_bytes
from events.wire.envelope import EVENT_BYTES_MAX, SOURCE_PATTERN, source_of
from events.wire.strict_json import JsonObject

HASH_BYTES: Final = 16
_CLAIMS: Final = (
    ("source", re.compile(SOURCE_PATTERN), EVENT_BYTES_MAX),
    ("id", re.compile(CLAIMED_ID_PATTERN), EVENT_BYTES_MAX),
    ("type", re.compile(CLAIMED_TYPE_PATTERN), CLAIMED_TYPE_LENGTH_MAX),
)
_SEQUENCE: Final = re.compile(r"(?!0{20})[0-9]{20}")
NOT_IDENTITY: Final = frozenset({"sequence", "traceparent", "tracestate"})
"""Attributes in which two records of the same event may differ."""


class Agency:
    """The agency that owns a record's topic. `source` and the claim's prefix are computed once."""

    __slots__ = ("claim_prefix", "code", "role", "source")

    def __init__(self, code: str, role: Role) -> None:
        self.code = code
        self.role: Role = role
        self.source = source_of(code)
        self.claim_prefix = self.source.encode() + b"\x00"

    def __repr__(self) -> str:
        return f"Agency({self.code!r}, {self.role!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Agency) and (self.code, self.role) == (other.code, other.role)

    def __hash__(self) -> int:
        return hash((self.code, self.role))


EventKey = tuple[str, str, str, str | None]
"""An event's `id`, `time`, `subject` and `sequence`."""


class Admitted:
    """A well-formed event that its agency may send. `event_bytes` are the bytes that the entry will hold."""

    __slots__ = ("event_bytes", "id", "time", "type")

    def __init__(self, type: str, id: str, event_bytes: bytes, time: str) -> None:
        self.type = type
        self.id = id
        self.event_bytes = event_bytes
        self.time = time

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.type}, {self.id})"


def first_day_ahead(now: datetime) -> str:
    """From this date on an event's `time` may have a wrong year. By their first letters, YYYY-MM-DD: whatever its
    offset, such a time is more than a day ahead."""
    return (now + timedelta(days=2)).date().isoformat()


class Accepted(Admitted):
    """An admitted event with its identity. The registrar decides whether its id is new.

    `compared` and its hash `identity` are equal for two records of the same event; `claim` is equal for two events with
    the same source and id. Hashes are the first 16 bytes of a SHA-256. The parsed event is not kept: collecting
    thousands of trees in a batch as garbage would cost more than validation.
    """

    __slots__ = ("claim", "compared", "sequence", "subject")

    def __init__(self, agency: Agency, type: str, key: EventKey, event_bytes: bytes, compared: bytes) -> None:
        self.event_bytes = event_bytes
        self.compared = event_bytes if compared == event_bytes else compared
        self.type = type
        self.id, self.time, self.subject, sequence = key
        self.sequence: int | None = None if sequence is None else int(sequence)
        self.claim = sha256(agency.claim_prefix + self.id.encode()).digest()[:HASH_BYTES]

    @property
    def identity(self) -> bytes:
        return identity_in(self.compared)

    @property
    def event(self) -> JsonObject:
        """The event, parsed from its bytes."""
        event: JsonObject = orjson.loads(self.event_bytes)
        return event


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused record. `faults` are the first by pointer, then by code; `unlisted` is the number of the others.

    `claimed_*` are set only if well-formed and if no fault is personal data; `keep_raw` is False if the value or a
    header holds personal data; `sequence` is set only if it is well-formed and the source is the agency's.
    """

    faults: tuple[Fault, ...]
    claimed_source: str | None = None
    claimed_id: str | None = None
    claimed_type: str | None = None
    keep_raw: bool = True
    sequence: int | None = None
    unlisted: int = 0


def key_of(event: Mapping[str, Any]) -> EventKey:
    return event["id"], event["time"], event["subject"], event.get("sequence")


def compared_bytes(event: Mapping[str, Any], canonical: bytes) -> bytes:
    """The canonical form of a well-formed event without null attributes and `NOT_IDENTITY`: all that two records of the
    same event have in common."""
    if NOT_IDENTITY.isdisjoint(event) and None not in event.values():
        return canonical
    if None in event.values():
        event = {name: value for name, value in event.items() if value is not None}
        canonical = canonical_event_bytes(event)
    for name in NOT_IDENTITY:
        if name in event:
            # Cut out, which takes a third of writing the event again. In `data` a member like it would stand before.
            before, _, after = canonical.rpartition(b',"%b":%b' % (name.encode(), canonical_event_bytes(event[name])))
            canonical = before + after
    return canonical


def identity_in(compared: bytes) -> bytes:
    """The identity of the event with these `compared_bytes`."""
    return sha256(compared).digest()[:HASH_BYTES]


def refused(event: Mapping[str, Any], errors: Iterable[Finding], agency: Agency, *, may_keep: bool) -> Refused:
    """The refusal of a record. `event` is empty if it could not be parsed; `may_keep`: whether its headers may be kept.
    Nothing of the record is kept if an error is personal data, listed or not."""
    # One error for each pointer, code and sentence.
    found = {error[:3]: error for error in errors}
    kept = [found[key] for key in sorted(found)[:FAULTS_MAX]]
    is_personal = any(error.code == "personal-data" for error in found.values())
    keep_raw = may_keep and not is_personal
    claimed = [
        None if is_personal else _claimed(event.get(name), form, length_max) for name, form, length_max in _CLAIMS
    ]
    sequence = event.get("sequence") if event.get("source") == agency.source else None
    return Refused(
        faults=tuple(error.fault(quoting=keep_raw) for error in kept),
        claimed_source=claimed[0],
        claimed_id=claimed[1],
        claimed_type=claimed[2],
        keep_raw=keep_raw,
        sequence=int(sequence) if isinstance(sequence, str) and _SEQUENCE.fullmatch(sequence) else None,
        unlisted=len(found) - len(kept),
    )


def _claimed(value: Any, form: re.Pattern[str], length_max: int) -> str | None:
    """A claimed text if it is well-formed and does not look personal. (No text of the event holds personal data.)"""
    if not isinstance(value, str) or len(value) > length_max or value.endswith("\n") or not form.match(value):
        return None
    return None if looks_personal(value) else value
