"""What this gateway took lately: the answer to "where is my event?" until the registrar has read it, and to what an
event that is sent again repeats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

REMEMBERED_MAX: Final = 100_000


class Taken(NamedTuple):
    """Where an event stands in its agency's topic. `mark` is equal for equal bytes (`mark_of`)."""

    offset: int
    mark: int


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
        repeats = []
        for place, id_, offset, value in zip(places, ids, offsets, values, strict=True):
            mark = mark_of(value)
            earlier = newest.get(id_) or before.get(id_)
            if earlier is not None and earlier.offset < offset:
                repeats.append(Repeat(place, id_, value, earlier.offset, earlier.mark == mark))
            newest[id_] = Taken(offset, mark)
        self._newest.count += len(ids)
        if self._newest.count >= self._generation_max:
            self._before, self._newest = self._newest, _Generation()
        return repeats

    def offset_of(self, agency: str, id_: str) -> int | None:
        """Where the agency's event stands in its topic, if this gateway took it lately."""
        for generation in (self._newest, self._before):
            taken = generation.of(agency).get(id_)
            if taken is not None:
                return taken.offset
        return None


def mark_of(value: bytes) -> int:
    """A number of 64 bits, keyed by this process: equal ones mean equal bytes, but for once in 2^64."""
    return hash(value)


class _Generation:
    def __init__(self) -> None:
        self.count = 0
        self._by_id: dict[str, dict[str, Taken]] = {}

    def of(self, agency: str) -> dict[str, Taken]:
        """Id → where it stands, of an agency's events."""
        return self._by_id.setdefault(agency, {})
