"""What the tables must hold because of an entry: its id, its address, its refusal, its sequence number.

Pure: the registrar wrote the same when it registered the record.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import zip_longest
from typing import Any, Final

import orjson

from events.validation.refusal import REFUSED
from events.validation.verdicts import HASH_BYTES, compared_bytes, identity_in
from events.values.data import Data
from events.wire.codec import canonical_event_bytes
from events.wire.entry import event_bytes, has_texts, parse_entry
from events.wire.texts import TEXT_WITHHELD, hashes_by_member, withheld_in
from infra.log.authority import Difference

Row = tuple[int, Any]
"""An index, and what a table has or must have there."""


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """What `log.refusal` has of a refused record."""

    agency: str
    address: str
    claimed_id: str | None
    claimed_type: str | None
    errors: list[Data]


@dataclass(frozen=True, slots=True)
class Derived:
    """What one entry gives. `event_id` is (claim, identity) of an accepted event, `refusal` the row of a refused one.

    `sha256` is that of a refused record's value, None where none may be kept. `texts` are the members that are free
    texts with their hashes, `withholds` the index and the member of the text that the entry withholds.
    """

    topic: str
    offset: int
    recorded: str
    event_id: tuple[str, str] | None = None
    sequence: int | None = None
    refusal: RefusalRow | None = None
    sha256: str | None = None
    texts: tuple[tuple[str, str], ...] = ()
    withholds: tuple[int, str] | None = None

    @property
    def agency(self) -> str:
        return agency_of(self.topic)


def agency_of(topic: str) -> str:
    """The code in the name of an agency's topic."""
    return topic.removeprefix("agency.").removesuffix(".events")


def derive(index: int, raw: bytes) -> Derived:
    """Raises `NotAnEntry`."""
    entry = parse_entry(index, raw)
    topic, _, offset = entry.address.split("/")
    if entry.type == REFUSED and entry.data["address"] == entry.address:
        agency = agency_of(topic)
        claimed = entry.data.get("claimed_id"), entry.data.get("claimed_type")
        refusal = RefusalRow(agency, entry.address, *claimed, entry.data["problem"]["errors"])
        return Derived(topic, int(offset), entry.recorded, refusal=refusal, sha256=entry.data.get("sha256"))
    event = orjson.loads(event_bytes(raw))
    claim = sha256(f"{event['source']}\0{event['id']}".encode()).digest()[:HASH_BYTES]
    identity = identity_in(compared_bytes(event, canonical_event_bytes(event)))
    sequence, data = event.get("sequence"), event["data"]
    return Derived(
        topic,
        int(offset),
        entry.recorded,
        (claim.hex(), identity.hex()),
        None if sequence is None else int(sequence),
        texts=tuple(hashes_by_member(data).items()) if has_texts(raw) else (),
        withholds=withheld_in(data) if entry.type == TEXT_WITHHELD else None,
    )


def first_difference(table: str, found: list[Row], expected: list[Row]) -> Difference | None:
    """The first index at which two lists in the order of their indexes differ."""
    for ours, theirs in zip_longest(found, expected):
        if ours == theirs:
            continue
        index = min(row[0] for row in (ours, theirs) if row is not None)
        has = ours[1] if ours is not None and ours[0] == index else None
        gives = theirs[1] if theirs is not None and theirs[0] == index else None
        return Difference(table, f"index {index}", has, gives, index)
    return None


@dataclass(slots=True)
class Ranges:
    """A set of whole numbers as ascending ranges, ends excluded."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self.starts, number) - 1
        return at >= 0 and number < self.ends[at]

    def __len__(self) -> int:
        return len(self.starts)

    def add(self, number: int) -> None:
        if number in self:
            return
        at = bisect_left(self.starts, number)
        joins_left = at > 0 and self.ends[at - 1] == number
        joins_right = at < len(self.starts) and self.starts[at] == number + 1
        if joins_left and joins_right:
            self.ends[at - 1] = self.ends.pop(at)
            del self.starts[at]
        elif joins_left:
            self.ends[at - 1] = number + 1
        elif joins_right:
            self.starts[at] = number
        else:
            self.starts.insert(at, number)
            self.ends.insert(at, number + 1)

    def pairs(self) -> list[tuple[int, int]]:
        return list(zip(self.starts, self.ends, strict=True))


RANGES_MAX: Final = 20_000
"""Ranges of an agency's numbers that are kept: more than the registrar keeps. Beyond it they are too scattered."""


@dataclass(slots=True)
class Numbers:
    """The sequence numbers of an agency's accepted events, and those that two of them have."""

    accepted: Ranges = field(default_factory=Ranges)
    repeated: Ranges = field(default_factory=Ranges)

    def add(self, number: int) -> None:
        if number in self.accepted:
            self.repeated.add(number)
        self.accepted.add(number)

    def pairs(self) -> dict[str, list[tuple[int, int]]]:
        """As the columns of `log.sequence_state`, ends excluded."""
        return {"accepted": self.accepted.pairs(), "repeated": self.repeated.pairs()}


def stored_pairs(row: Any) -> dict[str, list[tuple[int, int]]]:
    """The same of a row of that table."""
    return {name: range_pairs(row[name]) for name in ("accepted", "repeated")}


def range_pairs(ranges: Iterable[Any]) -> list[tuple[int, int]]:
    """A multirange of PostgreSQL."""
    return [(int(part.lower), int(part.upper)) for part in ranges]
