"""What this gateway took lately: the answer to "where is my event?" until the registrar has read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

REMEMBERED_MAX: Final = 100_000


class Recent:
    """The offset of the last record of each (agency, id): of the newest `remembered_max`, at least of half as many.

    Requests gather in one generation while the one before is still asked; both are forgotten whole. Only when somebody
    asks are they put in order by id, since most events are never asked for.
    """

    def __init__(self, remembered_max: int = REMEMBERED_MAX) -> None:
        self._generation_max = max(1, remembered_max // 2)
        self._newest = _Generation()
        self._before = _Generation()

    def add(self, agency: str, ids: Sequence[str], offsets: Sequence[int]) -> None:
        """Remember these; the oldest are forgotten."""
        self._newest.add(agency, ids, offsets)
        if self._newest.count >= self._generation_max:
            self._before, self._newest = self._newest, _Generation()

    def offset_of(self, agency: str, id_: str) -> int | None:
        """Where the agency's event stands in its topic, if this gateway took it lately."""
        for generation in (self._newest, self._before):
            offset = generation.of(agency).get(id_)
            if offset is not None:
                return offset
        return None


class _Generation:
    def __init__(self) -> None:
        self.count = 0
        self._added: list[tuple[str, Sequence[str], Sequence[int]]] = []
        self._by_id: dict[str, dict[str, int]] = {}

    def add(self, agency: str, ids: Sequence[str], offsets: Sequence[int]) -> None:
        self._added.append((agency, ids, offsets))
        self.count += len(ids)

    def of(self, agency: str) -> dict[str, int]:
        """Id -> offset of an agency's events."""
        for added_by, ids, offsets in self._added:
            self._by_id.setdefault(added_by, {}).update(zip(ids, offsets, strict=True))
        self._added.clear()
        return self._by_id.get(agency, {})
