"""The events that this gateway received recently: locates an event that the registrar has not read yet, and detects
repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

REMEMBERED_MAX: Final = 100_000


class Stored(NamedTuple):
    """A request's stored events: positions in the request, ids, offsets, and the bytes that their entries will hold."""

    places: Sequence[int]
    ids: Sequence[str]
    offsets: Sequence[int]
    values: Sequence[bytes]


class Repeat(NamedTuple):
    """An event whose id was received before: its position and bytes, and the earlier record's offset."""

    place: int
    id: str
    value: bytes
    earlier_offset: int
    is_same: bool
    """Whether the bytes are the same. Different bytes may still be the same event."""


class Recent:
    """The last record of each (agency, id), among the newest `remembered_max` records, and at least half as many.

    Records are added to one generation, the one before is still searched, and older ones are dropped as a whole.
    """

    def __init__(self, remembered_max: int = REMEMBERED_MAX) -> None:
        self._generation_max = max(1, remembered_max // 2)
        self._newest = _Generation()
        self._before = _Generation()

    def add(self, agency: str, stored: Stored) -> list[Repeat]:
        """Add a request's events; returns those that were received before."""
        ids, offsets, values = stored.ids, stored.offsets, stored.values
        newest, before = self._newest.of(agency), self._before.of(agency)
        repeats: list[Repeat] = []
        first = len(newest.offsets)
        newest.offsets += offsets
        newest.marks += map(mark_of, values)
        rows = range(first, len(newest.offsets))
        if len(set(ids)) == len(ids) and newest.rows.keys().isdisjoint(ids) and before.rows.keys().isdisjoint(ids):
            newest.rows.update(zip(ids, rows, strict=True))
        else:
            for place, id_, row, value in zip(stored.places, ids, rows, values, strict=True):
                earlier = newest if id_ in newest.rows else before
                known = earlier.rows.get(id_)
                if known is not None and earlier.offsets[known] < newest.offsets[row]:
                    is_same = earlier.marks[known] == newest.marks[row]
                    repeats.append(Repeat(place, id_, value, earlier.offsets[known], is_same))
                newest.rows[id_] = row
        self._newest.count += len(ids)
        if self._newest.count >= self._generation_max:
            self._before, self._newest = self._newest, _Generation()
        return repeats

    def offset_of(self, agency: str, id_: str) -> int | None:
        """The offset of the agency's event in its topic, if this gateway received it recently."""
        for generation in (self._newest, self._before):
            taken = generation.of(agency)
            row = taken.rows.get(id_)
            if row is not None:
                return taken.offsets[row]
        return None


def mark_of(value: bytes) -> int:
    """A 64-bit hash of the bytes, keyed per process."""
    return hash(value)


@dataclass(slots=True)
class _Taken:
    """An agency's events in the order in which they were taken, and the row of each id's last one.

    One table is looked up and two lists grow: a second table would cost as much as the first.
    """

    rows: dict[str, int] = field(default_factory=dict)
    offsets: list[int] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)


class _Generation:
    def __init__(self) -> None:
        self.count = 0
        self._by_agency: dict[str, _Taken] = {}

    def of(self, agency: str) -> _Taken:
        return self._by_agency.setdefault(agency, _Taken())
