"""What this gateway took lately: the answer to "where is my event?" until the registrar has read it, and to what an
event that is sent again repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

REMEMBERED_MAX: Final = 100_000


class Repeat(NamedTuple):
    """An event of a request whose id was taken before: its place and bytes, and where the earlier record stands."""

    place: int
    id: str
    value: bytes
    earlier_offset: int
    is_same: bool
    """Whether the bytes are the same. If not, it may still say the same."""


class Recent:
    """The last record of each (agency, id): of the newest `remembered_max`, at least of half as many.

    Requests gather in one generation while the one before is still asked; both are forgotten whole.
    """

    def __init__(self, remembered_max: int = REMEMBERED_MAX) -> None:
        self._generation_max = max(1, remembered_max // 2)
        self._newest = _Generation()
        self._before = _Generation()

    def add(
        self, agency: str, places: Sequence[int], ids: Sequence[str], offsets: Sequence[int], values: Sequence[bytes]
    ) -> list[Repeat]:
        """Remember these events of a request, which stand at `offsets`; those that were taken before."""
        newest, before = self._newest.of(agency), self._before.of(agency)
        repeats: list[Repeat] = []
        first = len(newest.offsets)
        newest.offsets += offsets
        newest.marks += map(mark_of, values)
        rows = range(first, len(newest.offsets))
        if len(set(ids)) == len(ids) and newest.rows.keys().isdisjoint(ids) and before.rows.keys().isdisjoint(ids):
            newest.rows.update(zip(ids, rows, strict=True))
        else:
            for place, id_, row, value in zip(places, ids, rows, values, strict=True):
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
        """Where the agency's event stands in its topic, if this gateway took it lately."""
        for generation in (self._newest, self._before):
            taken = generation.of(agency)
            row = taken.rows.get(id_)
            if row is not None:
                return taken.offsets[row]
        return None


def mark_of(value: bytes) -> int:
    """A number of 64 bits, keyed by this process: equal ones mean equal bytes, but for once in 2^64."""
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
