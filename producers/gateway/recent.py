"""The events that this gateway received recently: locates an event that the registrar has not read yet, and detects
repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

REMEMBERED_MAX: Final = 100_000


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

    def add(
        self, agency: str, places: Sequence[int], ids: Sequence[str], offsets: Sequence[int], values: Sequence[bytes]
    ) -> list[Repeat]:
        """Add a request's events, stored at `offsets`; returns those that were received before."""
        newest, before = self._newest.of(agency), self._before.of(agency)
        repeats: list[Repeat] = []
        if (
            len(set(ids)) == len(ids)
            and newest.offsets.keys().isdisjoint(ids)
            and before.offsets.keys().isdisjoint(ids)
        ):
            newest.offsets.update(zip(ids, offsets, strict=True))
            newest.marks.update(zip(ids, map(mark_of, values), strict=True))
        else:
            for place, id_, offset, value in zip(places, ids, offsets, values, strict=True):
                mark = mark_of(value)
                earlier = newest if id_ in newest.offsets else before
                if earlier.offsets.get(id_, offset) < offset:
                    repeats.append(Repeat(place, id_, value, earlier.offsets[id_], earlier.marks[id_] == mark))
                newest.offsets[id_], newest.marks[id_] = offset, mark
        self._newest.count += len(ids)
        if self._newest.count >= self._generation_max:
            self._before, self._newest = self._newest, _Generation()
        return repeats

    def offset_of(self, agency: str, id_: str) -> int | None:
        """The offset of the agency's event in its topic, if this gateway received it recently."""
        for generation in (self._newest, self._before):
            offset = generation.of(agency).offsets.get(id_)
            if offset is not None:
                return offset
        return None


def mark_of(value: bytes) -> int:
    """A 64-bit hash of the bytes, keyed per process."""
    return hash(value)


@dataclass(slots=True)
class _Taken:
    """An agency's events by id, as two tables of numbers, because tuples would burden the garbage collector."""

    offsets: dict[str, int] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)


class _Generation:
    def __init__(self) -> None:
        self.count = 0
        self._by_agency: dict[str, _Taken] = {}

    def of(self, agency: str) -> _Taken:
        return self._by_agency.setdefault(agency, _Taken())
