"""The verdict on a record: accepted, or refused with every fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson

from events.envelope import source_of
from events.fields import Role
from events.problems import Fault

HASH_BYTES: Final = 16
NOT_IDENTITY: Final = frozenset({"sequence", "traceparent", "tracestate"})
"""Attributes in which two records of the same event may differ."""


class Agency:
    """The agency whose topic a record stands in. `source` and the claim's prefix are kept ready."""

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


EventKey = tuple[str, str, str | None]
"""An event's `id`, `subject` and `sequence`."""


class Admitted:
    """A well-formed event that its agency may send. `event_bytes` are the bytes as they will stand in the entry."""

    __slots__ = ("event_bytes", "id", "type")

    def __init__(self, type: str, id: str, event_bytes: bytes) -> None:
        self.type = type
        self.id = id
        self.event_bytes = event_bytes

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({self.type}, {self.id})"


class Accepted(Admitted):
    """The same with what tells it from others. Whether its id is new is for the registrar to say.

    `identity` is equal for two records of the same event; `claim` is equal for two events with the same source and id.
    Both are the first 16 bytes of a SHA-256. The parsed event is not kept: thousands of trees in a batch would keep the
    garbage collector busier than validation itself.
    """

    __slots__ = ("claim", "identity", "sequence", "subject")

    def __init__(self, agency: Agency, type: str, key: EventKey, event_bytes: bytes, identity: bytes) -> None:
        self.event_bytes = event_bytes
        self.type = type
        self.id, self.subject, sequence = key
        self.sequence: int | None = None if sequence is None else int(sequence)
        self.identity = identity
        self.claim = sha256(agency.claim_prefix + self.id.encode()).digest()[:HASH_BYTES]

    @property
    def event(self) -> dict[str, Any]:
        """The event, read anew from its bytes."""
        event: dict[str, Any] = orjson.loads(self.event_bytes)
        return event


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that cannot stand in the log. `faults` is never empty; `unlisted` more were found than are kept.

    `claimed_*` are given only where they are well-formed and free of personal data; `keep_raw` is False where the value
    or a header holds personal data; `sequence` where it could be read, is well-formed, and the source is the agency's.
    """

    faults: tuple[Fault, ...]
    claimed_source: str | None = None
    claimed_id: str | None = None
    claimed_type: str | None = None
    keep_raw: bool = True
    sequence: int | None = None
    unlisted: int = 0

    @property
    def holds_personal_data(self) -> bool:
        """Whether personal data is the reason: then no raw bytes, no hash and no claimed values are kept."""
        return any(found.code == "personal-data" for found in self.faults)


def key_of(event: Mapping[str, Any]) -> EventKey:
    """Id, subject and sequence of a well-formed event."""
    return event["id"], event["subject"], event.get("sequence")


def identity_of(event: Mapping[str, Any]) -> bytes:
    """The identity of a well-formed event: its RFC 8785 form without null attributes and `NOT_IDENTITY`, hashed."""
    kept = {name: value for name, value in event.items() if value is not None and name not in NOT_IDENTITY}
    return sha256(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)).digest()[:HASH_BYTES]


class WellFormed(NamedTuple):
    """An event without fault: its short type, what was read, and the bytes as they will stand in the entry."""

    type: str
    event: dict[str, Any]
    event_bytes: bytes
